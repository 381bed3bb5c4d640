"""An ejection is confirmed when the meeting server no longer has the participant, and not before."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from joingate.core.model import Join
from joingate.servers import removals as module
from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.removals import TRIES, Removals
from tests.edges.gate_fixture import eventually
from tests.recorders import FreeRecorder

JOIN = Join("m", "bob", place=("s", "h"))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.002)


class Server:
    """Has everybody until `removes` says otherwise; notes what it was asked."""

    def __init__(self, removes: Callable[[int], bool]) -> None:
        self.removes = removes
        self.removed: list[Whom] = []
        self.present = True
        self.fault: str | None = None
        self.at_once = self.most_at_once = 0

    async def remove(self, whom: Whom) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.fault is not None:
            raise ServerError(self.fault)
        self.removed.append(whom)
        if self.removes(len(self.removed)):
            self.present = False

    async def is_present(self, whom: Whom) -> bool:  # noqa: ARG002 - AdminClient's signature
        return self.present


async def test_it_is_confirmed_when_the_server_no_longer_has_them() -> None:
    server, recorder = Server(lambda _: True), FreeRecorder()
    removals = Removals(recorder, server, 0)
    removals.remove(JOIN, 7)
    assert (len(removals), recorder.confirmed) == (1, [])
    await eventually(lambda: not len(removals))
    assert (server.removed, recorder.confirmed, recorder.remaining) == ([Whom("m", "bob", ("s", "h"))], [7], [])
    assert removals.problem is None
    await removals.close()


async def test_who_is_there_still_is_asked_for_again_and_told_once() -> None:
    server, recorder = Server(lambda times: times > 2 * TRIES), FreeRecorder()
    removals = Removals(recorder, server, 0)
    removals.remove(JOIN, 7)
    await eventually(lambda: recorder.remaining)
    assert (recorder.remaining, recorder.confirmed, removals.still_present) == ([7], [], 1)
    await eventually(lambda: recorder.confirmed)
    assert (recorder.remaining, recorder.confirmed, removals.still_present) == ([7], [7], 0)
    assert len(server.removed) == 2 * TRIES + 1
    await removals.close()


async def test_a_server_that_keeps_whose_connection_is_gone_has_that_time() -> None:
    server, recorder = Server(lambda times: times > 2 * TRIES), FreeRecorder()
    removals = Removals(recorder, server, 30)
    removals.remove(JOIN, 7)
    await eventually(lambda: recorder.confirmed)
    assert not recorder.remaining
    await removals.close()


async def test_a_server_that_cannot_be_asked_confirms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server, recorder = Server(lambda _: True), FreeRecorder()
    server.fault = "status 500"
    removals = Removals(recorder, server, 0)
    with caplog.at_level(logging.ERROR):
        removals.remove(JOIN, 7)
        await eventually(lambda: recorder.remaining)
    assert [each.getMessage() for each in caplog.records if "status 500" in each.getMessage()] == [
        "meeting server: status 500"
    ]
    assert not any("bob" in each.getMessage() for each in caplog.records)
    assert (removals.problem, removals.still_present) == ("status 500", 1)
    server.fault = None
    await eventually(lambda: recorder.confirmed)
    assert removals.problem is None
    await removals.close()


async def test_a_server_is_not_overrun() -> None:
    server, recorder = Server(lambda times: times == 100), FreeRecorder()
    removals = Removals(recorder, server, 0)
    for seq in range(100):
        removals.remove(JOIN, seq)
    await eventually(lambda: len(recorder.confirmed) == 100)
    assert server.most_at_once <= module.AT_ONCE
    await removals.close()


async def test_without_an_interface_only_time_confirms() -> None:
    recorder = FreeRecorder()
    removals = Removals(recorder, None, 0.01)
    removals.remove(JOIN, 7)
    assert not recorder.confirmed
    await eventually(lambda: recorder.confirmed)
    assert not recorder.remaining
    await removals.close()


async def test_without_an_interface_and_an_end_nothing_does() -> None:
    recorder = FreeRecorder()
    removals = Removals(recorder, None, None)
    removals.remove(JOIN, 7)
    await eventually(lambda: recorder.remaining)
    assert (recorder.confirmed, removals.still_present, len(removals)) == ([], 1, 1)
    assert (removals.can_remove, removals.problem) == (False, None)
    await removals.close()
    assert not len(removals)


async def test_the_end_of_the_gate_ends_what_is_under_way() -> None:
    closed = []

    async def close() -> None:
        closed.append(True)

    server, recorder = Server(lambda _: False), FreeRecorder()
    removals = Removals(recorder, server, 0, close)
    removals.remove(JOIN, 7)
    await eventually(lambda: server.removed)
    await removals.close()
    assert (len(removals), closed, recorder.confirmed) == (0, [True], [])
