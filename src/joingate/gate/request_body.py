"""A request's body on its way: kept while nobody takes it, framed as the upstream gets it."""

from joingate.codecs.http1 import CHUNKED, Headers, build_chunk, build_last_chunk


class RequestBody:
    """What has been read of a body and not yet been passed on.

    Attributes:
        size: bytes of it.
    """

    __slots__ = ("_is_chunked", "_pieces", "_trailers", "size")

    def __init__(self, framing: int) -> None:
        """Begin with nothing; `framing` is RequestHead.body."""
        self._is_chunked = framing == CHUNKED
        self._pieces: list[bytes] = []
        self._trailers: Headers | None = None
        self.size = 0

    def add(self, data: bytes) -> None:
        """Take a piece, which is not empty."""
        self._pieces.append(data)
        self.size += len(data)

    def end(self, trailers: Headers) -> None:
        """Take the end."""
        self._trailers = trailers

    def kept(self) -> bytes:
        """Return what is kept, without taking it away."""
        return b"".join(self._pieces)

    def take_framed(self) -> bytes:
        """Take away what is kept, and its end where it has come, as it goes to the upstream."""
        pieces: list[bytes] = [build_chunk(piece) for piece in self._pieces] if self._is_chunked else self._pieces
        if self._is_chunked and self._trailers is not None:
            pieces.append(build_last_chunk(self._trailers))
            self._trailers = None
        self._pieces = []
        self.size = 0
        return b"".join(pieces)
