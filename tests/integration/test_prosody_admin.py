"""mod_joingate and ProsodyAdmin with a real Prosody, and no gate before it."""

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.prosody import ProsodyAdmin
from tests.integration.prosody_rooms import Watched, watched, whom
from tests.integration.prosody_server import HOST, ROOMS, TOKEN, abort, visit

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prosody(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(tmp_path_factory.mktemp("prosody")) as prosody:
        yield prosody


@pytest.fixture
def room() -> str:
    return f"room-{random.getrandbits(48):x}"


# Removing


async def test_one_of_three_is_removed(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port) as bob, visit(prosody.port, name="carol") as carol:
        for client, nick in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
            await client.join(room, nick)
        assert await prosody.admin.is_present(whom(room, bob))
        await prosody.admin.remove(whom(room, bob))
        assert not await prosody.admin.is_present(whom(room, bob))
        assert await prosody.occupants(room) == {"alice", "carol"}
        own = await bob.hear("<presence", "unavailable", f"{room}@{ROOMS}/bob")
        assert "code='307'" in own
        assert "code='110'" in own
        for client in (alice, carol):
            told = await client.hear("<presence", "unavailable", f"{room}@{ROOMS}/bob")
            assert "code='307'" in told
            assert await prosody.admin.is_present(whom(room, client))
        await prosody.admin.remove(whom(room, bob))  # gone already, which is no error
        assert "code='110'" in await bob.join(room, "bob")  # and nothing of it stays behind


async def test_somebody_is_removed_whose_stream_waits_to_be_resumed(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port) as bob:
        await alice.join(room, "alice")
        await bob.enable_resumption()
        await bob.join(room, "bob")
        abort(bob)
        await alice.settle()
        assert await prosody.occupants(room) == {"alice", "bob"}
        await prosody.admin.remove(whom(room, bob))
        assert not await prosody.admin.is_present(whom(room, bob))
        assert await prosody.occupants(room) == {"alice"}


async def test_a_room_whose_last_occupant_is_removed_can_be_joined(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port) as bob:
        await alice.join(room, "alice")
        await prosody.admin.remove(whom(room, alice))
        assert await prosody.occupants(room) is None
        assert not await prosody.admin.is_present(whom(room, alice))
        assert "code='110'" in await bob.join(room, "bob")
        assert await prosody.occupants(room) == {"bob"}


async def test_all_sessions_of_an_account_under_one_nick_go_together(prosody: Watched, room: str) -> None:
    async with (
        visit(prosody.port) as alice,
        visit(prosody.port, name="bob") as desk,
        visit(prosody.port, name="bob") as phone,
    ):
        await alice.join(room, "alice")
        await desk.join(room, "bob")
        await phone.join(room, "bob")
        assert await prosody.admin.is_present(whom(room, phone))
        await prosody.admin.remove(whom(room, desk))
        assert not await prosody.admin.is_present(whom(room, phone))
        assert await prosody.occupants(room) == {"alice"}
        for client in (desk, phone):
            await client.hear("code='307'", "code='110'")


async def test_whoever_has_taken_the_nick_meanwhile_is_left_alone(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as first, visit(prosody.port) as second:
        await first.join(room, "bob")
        await first.join(room, "another")  # changes the nick
        await second.join(room, "bob")
        await prosody.admin.remove(whom(room, first, "bob"))
        assert await prosody.occupants(room) == {"bob"}
        assert not await prosody.admin.is_present(whom(room, first, "bob"))
        assert await prosody.admin.is_present(whom(room, second, "bob"))


async def test_without_an_address_the_nick_has_to_do(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice, visit(prosody.port) as bob:
        await alice.join(room, "alice")
        await bob.join(room, "b\u00aab")  # prepared to "bab"
        someone = Whom(room, "b\u00aab", (f"{room}@{ROOMS}", ""))
        assert await prosody.admin.is_present(someone)
        await prosody.admin.remove(someone)
        assert not await prosody.admin.is_present(someone)
        assert await prosody.occupants(room) == {"alice"}
        assert not await prosody.admin.is_present(Whom(room, None, (f"{room}@{ROOMS}", "")))


async def test_lobbies_are_reached_too(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice:
        await alice.join(f"{room}@lobby.{HOST}", "alice")
        in_lobby = Whom(room, "alice", (f"{room}@lobby.{HOST}", alice.jid))
        assert await prosody.admin.is_present(in_lobby)
        await prosody.admin.remove(in_lobby)
        assert not await prosody.admin.is_present(in_lobby)
        assert await prosody.occupants(f"{room}@lobby.{HOST}") is None


# Whom the module answers


async def test_only_the_token_opens(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice:
        await alice.join(room, "alice")
        for token in ("wrong", TOKEN + "x", TOKEN[:-1], "x" * len(TOKEN)):
            stranger = ProsodyAdmin(prosody.http, prosody.server.admin_url, token)
            for ask in (stranger.remove, stranger.is_present):
                with pytest.raises(ServerError, match="answered 401"):
                    await ask(whom(room, alice))
        for headers in ({}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}):
            async with prosody.http.post(f"{prosody.server.admin_url}/remove", headers=headers) as answer:
                assert answer.status == 401
        assert await prosody.occupants(room) == {"alice"}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "x_forwarded_for"])
async def test_through_a_proxy_there_is_nothing(prosody: Watched, header: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", header: "127.0.0.1"}
    url = f"{prosody.server.admin_url}/occupants?room=r@{ROOMS}"
    async with prosody.http.get(url, headers=headers) as answer:
        assert answer.status == 404
        assert "not-found" not in await answer.text()


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"room": ""}, 400),
        ({"room": "a@b@c"}, 400),
        ({"room": f"r@{ROOMS}"}, 404),
        ({"room": f"r@{ROOMS}", "nick": "n"}, 404),
        ({"room": f"r@{HOST}", "nick": "n"}, 422),
        ({"room": "r@elsewhere.test", "nick": "n"}, 422),
    ],
)
async def test_what_the_module_cannot_do(prosody: Watched, parameters: dict[str, str], status: int) -> None:
    answered, answer = await prosody.ask("POST", "remove", **parameters)
    assert answered == status
    assert isinstance(answer, dict)
    assert set(answer) == {"error"}


async def test_nobody_in_particular_is_never_removed(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice:
        await alice.join(room, "alice")
        for parameters in ({}, {"nick": ""}, {"session": ""}, {"nick": "", "session": ""}):
            status, _ = await prosody.ask("POST", "remove", room=f"{room}@{ROOMS}", **parameters)
            assert status == 400
        assert await prosody.occupants(room) == {"alice"}


async def test_a_wrong_address_is_no_proof_of_absence(prosody: Watched, room: str) -> None:
    async with visit(prosody.port) as alice:
        await alice.join(room, "alice")
        elsewhere = ProsodyAdmin(prosody.http, f"http://127.0.0.1:{prosody.port}/elsewhere", TOKEN)
        for ask in (elsewhere.remove, elsewhere.is_present):
            with pytest.raises(ServerError, match="mod_joingate is not loaded"):
                await ask(whom(room, alice))
        with pytest.raises(ServerError, match="on none of its MUC components"):
            await prosody.admin.is_present(Whom(room, "alice", (f"{room}@muc.elsewhere.test", alice.jid)))
