"""deploy/native/engine.c: sockets for the gate in C, where it has been compiled (`make native`)."""

import asyncio
from collections.abc import Callable
from typing import final

DROPPED: int
DECISIVE: int
HOST: int
CONNECTION: int
CONTENT_LENGTH: int
FORWARDED_FOR: int
FORWARDED_PROTO: int

@final
class FastPath:
    """What the fast path knows: field names, in lower case (one not given is relayed), and routes of joins."""

    def __init__(
        self,
        request: dict[bytes, int],
        response: dict[bytes, int],
        routes: list[tuple[list[bytes], int | bytes, int | bytes]],
        max_head_bytes: int,
    ) -> None:
        """Prepare it.

        Args:
            request: what field names mean in requests.
            response: the same in responses.
            routes: of joins: literals in lower case (empty for a placeholder); where the meeting's id is, and the
                participant's: a segment's number, a query parameter's name, or empty for nowhere.
            max_head_bytes: of a request.

        Raises:
            ValueError: this is more, or longer, than there is room for.
        """

    def find_join(self, target: bytes) -> tuple[str, str | None] | None:
        """Return the meeting's id and the participant's; None where the target is not plain, or no join."""
    def rewrite_request(
        self, data: bytes, lines: bytes
    ) -> tuple[bytes, bytes | None, int, bytes | None, bool, bytes] | None:
        """Take a plain request apart; None where it is not plain.

        Returns:
            target; X-Forwarded-For, and the number of the one IPv4 address that this is, or -1; X-Forwarded-Proto;
            whether the connection is to be closed when it is answered; and the request for the next hop.
        """

    def rewrite_response(self, data: bytes, is_last: bool) -> bytes | None:
        """Return the response for the client, the last one on its connection or not; None: it is not plain."""

@final
class Transport(asyncio.Transport):
    """A connected socket."""

    def rest(self, fast_path: FastPath) -> None:
        """Let the next request take the fast path: `admit_plain` and so on, see engine.c."""

    def look_into(self) -> None:
        """Have a plain request that is under way handed over to `look_into`; where none is, nothing happens."""

@final
class Engine:
    """One epoll instance, to be run whenever its descriptor is readable."""

    wake: Callable[[], object]
    """Sees to it that `run` is called soon."""

    def __init__(self, on_error: Callable[[str, BaseException, Transport, object], object]) -> None: ...
    def fileno(self) -> int: ...
    def run(self) -> None: ...
    def serve(self) -> None:
        """See to a few of those that wait, in the middle of something that takes longer."""
    def close(self) -> None:
        """End all transports at once; nothing is carried any more."""
    def accept(self, fd: int) -> tuple[int, tuple[str, int] | str] | None:
        """Accept a connection on a listening socket: a non-blocking descriptor, and address and port of the peer.

        An empty peer is one on a unix socket. Where no connection waits, None; OSError as of socket.accept otherwise.
        """
    def adopt(self, fd: int, protocol: asyncio.BaseProtocol, peername: object) -> Transport:
        """Take a connected, non-blocking socket over; raise OSError where it is none that can be polled."""
