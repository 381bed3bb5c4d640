import pytest

from joingate.codecs.dialects import describe_joins, dialect_of
from joingate.codecs.join_route import JoinRoute, Source

SERVERS = ("livekit", "jitsi", "prosody", "janus", "bigbluebutton", "galene")


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_has_its_dialect(server: str) -> None:
    dialect = dialect_of(server)
    assert dialect is not None
    assert dialect.name == server
    assert describe_joins(server, dialect.routes)


def test_a_generic_server_has_none() -> None:
    assert dialect_of("generic") is None


def test_routes_are_described_by_what_they_read() -> None:
    route = JoinRoute(
        "/m/{meeting}", Source("path", "meeting"), Source("query", "user"), (Source("query", "role"), "host")
    )
    assert describe_joins("generic", [route, JoinRoute("/{meeting}", Source("path", "meeting"), None, None)]) == [
        "requests to /m/{meeting}: meeting from path:meeting, participant from query:user, host by query:role=host",
        "requests to /{meeting}: meeting from path:meeting",
    ]
