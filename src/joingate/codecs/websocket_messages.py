"""WebSocket messages out of a byte stream (RFC 6455 5), each with the very bytes that carried it.

Where joins are messages, a message must not go on before it is understood, and has to go on as it came. So the reader
gives both: what was said, unmasked and its fragments joined, and the frames that said it. Frames are parsed by the
`websockets` library; what is kept here is which bytes they were.
"""

from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CTRL_OPCODES, Frame, Opcode

_LONGEST_HEADER: Final = 14


class Piece(NamedTuple):
    """A part of the stream that ends where another message may begin.

    Attributes:
        raw: its bytes: the frames of one message with the control frames among them, or control frames alone.
        message: what the message says; None where there is none, or no whole one before a Close.
    """

    raw: bytes
    message: bytes | None


class MessageError(Exception):
    """The stream is no WebSocket, or a message is too long; nothing more can be read from it.

    Attributes:
        code: of the Close frame that says so: 1002 or 1009 (RFC 6455 7.4.1).
        text: what is wrong.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class MessageReader:
    """One direction of a WebSocket without extensions."""

    __slots__ = ("_buffer", "_frame_at", "_most", "_parsing", "_read", "_said", "is_closed", "masked")

    def __init__(self, *, masked: bool, most: int) -> None:
        """Begin at the first frame.

        Args:
            masked: whether frames come from a client (RFC 6455 5.1).
            most: bytes that one message may have.
        """
        self.masked = masked
        self.is_closed = False
        """A Close frame has come, or the stream is broken: nothing that follows is read (RFC 6455 5.5.1)."""
        self._most = most
        self._buffer = bytearray()  # bytes that belong to no piece yet
        self._frame_at = 0  # where in them the frame begins that is being parsed
        self._read = 0  # how far the parser has come
        self._said: bytearray | None = None  # fragments of the message under way
        self._parsing = self._parse()

    @property
    def unread(self) -> bytes:
        """What has come since the last piece."""
        return bytes(self._buffer)

    @property
    def is_between_messages(self) -> bool:
        """Whether the next byte begins a message or a control frame."""
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Yield the pieces that are complete with `data`, the next bytes of the stream.

        Raises:
            MessageError: what comes after the pieces yielded cannot be read.
        """
        self._buffer += data
        while not self.is_closed:
            try:
                frame = self._next_frame()
            except PayloadTooBig:
                raise self._too_long() from None
            except ProtocolError as error:
                raise self._fail(1002, f"Not a WebSocket frame: {error}.") from None
            if frame is None:
                if len(self._buffer) > 2 * self._most + _LONGEST_HEADER:
                    raise self._too_long()  # control frames without end inside a message
                return
            piece = self._take(frame)
            if piece is not None:
                yield piece

    def _next_frame(self) -> Frame | None:
        try:
            next(self._parsing)
        except StopIteration as stop:
            frame: Frame = stop.value
            self._frame_at = self._read
            self._parsing = self._parse()
            return frame
        return None

    def _parse(self) -> Generator[None, None, Frame]:
        return Frame.parse(self._read_exact, mask=self.masked, max_size=self._most)

    def _read_exact(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) - self._read < size:
            yield
        start = self._read
        self._read += size
        return bytes(self._buffer[start : self._read])

    def _take(self, frame: Frame) -> Piece | None:
        if frame.opcode in CTRL_OPCODES:
            if frame.opcode is Opcode.CLOSE:
                self.is_closed = True
                return self._piece(None)
            return self._piece(None) if self._said is None else None
        if (frame.opcode is Opcode.CONT) is (self._said is None):
            raise self._fail(1002, "A fragment is out of place.")
        said = self._said = bytearray() if self._said is None else self._said
        said += frame.data
        if len(said) > self._most:
            raise self._too_long()
        if not frame.fin:
            return None
        self._said = None
        return self._piece(bytes(said))

    def _piece(self, message: bytes | None) -> Piece:
        raw = bytes(self._buffer[: self._frame_at])
        del self._buffer[: self._frame_at]
        self._read -= self._frame_at
        self._frame_at = 0
        return Piece(raw, message)

    def _too_long(self) -> MessageError:
        return self._fail(1009, f"A message has more than {self._most} bytes.")

    def _fail(self, code: int, text: str) -> MessageError:
        self.is_closed = True
        return MessageError(code, text)


def build_text(message: bytes) -> bytes:
    """Build a server's text frame; `message` is UTF-8."""
    return Frame(Opcode.TEXT, message).serialize(mask=False)
