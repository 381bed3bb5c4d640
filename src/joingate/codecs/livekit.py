"""LiveKit: the request that opens the connection is the join, and its token says who and where.

The participant's token names room (`video.room`) and identity (`sub`). It comes as `Authorization: Bearer` or as
`access_token`. A reconnect and a validation carry it as well, and are judged like any join. What is said on the
WebSocket afterwards is protobuf that brings nobody in, so it is relayed unread.

No participant owns a room, so nobody is a host. Cutting the WebSocket ends nothing while media flow over UDP: only
LiveKit's own interface removes a participant (servers/livekit.py).

Limits. On /rtc, "?publish=x" joins as the identity "SUB#x"; the join here still says SUB, and servers/livekit.py knows
the rest. A token without `sub`, whose `jti` LiveKit then takes for the identity, names no participant here. A "GET
/whip/v1" without a token is refused, where LiveKit has an empty answer for it.

Sources: livekit/livekit pkg/service/rtcservice.go (paths; what a validation is), whipservice.go, auth.go (where the
token stands), utils.go (ValidateConnectRequest: `publish`), server.go (RemoveDoubleSlashes); livekit/protocol
auth/verifier.go (`sub`, else `jti`).
"""

from collections.abc import Sequence
from typing import Final

from joingate.codecs.dialect import Conversation, Polled, Refusal
from joingate.codecs.http1 import Headers, RequestHead, ResponseHead
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.model import Join

_PATHS: Final = ("/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate", "/whip/v1")


class LiveKit:
    """See the module; a Dialect."""

    name: str = "livekit"
    routes: Sequence[JoinRoute] = tuple(
        JoinRoute(path, meeting=Source("jwt", "video.room"), participant=Source("jwt", "sub"), host=None)
        for path in _PATHS
    )
    keeps_after_close: float | None = None

    def fold(self, meeting: str) -> str:
        """Return the id as it is: rooms are the keys of a map."""
        return meeting

    def conversation(self, target: bytes, headers: Headers) -> Conversation | None:  # noqa: ARG002 - the Dialect's
        """Return None: a WebSocket that is no join by its head carries none."""
        return None

    def reads_body(self, head: RequestHead) -> bool:  # noqa: ARG002 - the Dialect's
        """Return False: no body names a room."""
        return False

    def polled(self, head: RequestHead, body: bytes) -> Polled:  # noqa: ARG002 - the Dialect's
        """Return nothing said."""
        return Polled("", None)

    def poll_refusal(self, head: RequestHead, body: bytes, why: Refusal) -> tuple[bytes, bytes] | None:  # noqa: ARG002 - the Dialect's
        """Return None: no session is polled, so nobody asks."""
        return None

    def left_by(self, join: Join, head: ResponseHead) -> str | None:  # noqa: ARG002 - the Dialect's
        """Return None: whoever comes again brings their token again."""
        return None
