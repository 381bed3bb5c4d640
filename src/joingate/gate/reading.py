"""A WebSocket in which joins are messages: each of the client's is understood before it goes on, unaltered.

One WebSocket can carry several participants, in several meetings. A join that is rejected goes no further, and is
answered in the meeting server's own dialect; the connection stays for whatever else it carries. An ejection closes it
where it carries nobody else. What the gate adds to the server's messages stands between two of them.
"""

import logging
from collections.abc import Sequence
from typing import ClassVar, Final, cast

from joingate.codecs.dialect import Conversation, UnreadableError, refusal_of
from joingate.codecs.websocket import Chunk
from joingate.codecs.websocket_messages import MessageError, MessageReader, Piece, build_text
from joingate.core.decision import Decision
from joingate.core.model import Address
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.gate.gate import Gate
from joingate.gate.seats import Denied, Seats
from joingate.gate.tunnel import Side, Tunnel

_log = logging.getLogger("joingate")

MOST: Final = 262_144
"""Bytes of a client's message; as Prosody's c2s_stanza_size_limit, and far above any session description."""

_MOST_FROM_SERVER: Final = 16 * MOST
_POLICY_VIOLATION: Final = 1008  # RFC 6455 7.4.1
_INTERNAL_ERROR: Final = 1011


SLICE: Final = 1024
"""Bytes that one turn of the event loop reads: a dozen messages, or 170 pings, are some milliseconds of work."""


class _ClientSide(Side):
    __slots__ = ()

    def read(self, data: Chunk) -> int:
        return cast("ReadTunnel", self.tunnel).from_client(bytes(data[:SLICE]))


class _ServerSide(Side):
    __slots__ = ()

    def read(self, data: Chunk) -> int:
        return cast("ReadTunnel", self.tunnel).from_server(bytes(data[:SLICE]))


class ReadTunnel(Tunnel):
    """The two sides, and the participants found in what the client says."""

    __slots__ = (
        "_client_ip",
        "_client_reader",
        "_conversation",
        "_is_judging",
        "_seats",
        "_server_reader",
        "_tokens",
        "_unsaid",
    )

    client_side: ClassVar[type[Side]] = _ClientSide
    server_side: ClassVar[type[Side]] = _ServerSide

    def __init__(self, gate: Gate, conversation: Conversation, client_ip: Address | None) -> None:
        """Read by `conversation` what somebody at `client_ip` says; `begin` connects the sides."""
        super().__init__(gate, None)
        self._conversation = conversation
        self._client_ip = client_ip
        self._client_reader = MessageReader(masked=True, most=MOST)
        self._server_reader = MessageReader(masked=False, most=_MOST_FROM_SERVER)
        self._seats = Seats(gate, self)
        self._unsaid: list[bytes] = []  # frames of the gate's own that wait for the end of a message of the server's

    # From the client

    def from_client(self, data: bytes) -> int:
        """Understand what comes, and pass on what may; return how many bytes a turn has looked at."""
        if self.is_closing():
            return self.received_while_closing(self.down, data)
        if self.idle_timeout:
            self.await_frames()
        try:
            for piece in self._client_reader.feed(data):
                if self._may_go_on(piece):
                    self.down.follower.feed(piece.raw)
                    self.up.transport.write(piece.raw)
                elif self.is_closing():
                    break
        except MessageError as error:
            self.close(error.code, error.text.encode())
        except UnreadableError as error:
            self.close(_POLICY_VIOLATION, str(error).encode())
        except Exception:  # noqa: BLE001 - logged whole; what could not be judged must not go on
            _log.exception("defect: a message could not be judged")
            self.close(_INTERNAL_ERROR, b"The gate could not read a message.")
        return len(data)

    def _may_go_on(self, piece: Piece) -> bool:
        message = piece.message
        if message is None:
            return True
        said = self._conversation.from_client(message)
        why = None if said is None else self._seats.heed(said, self._client_ip)
        self._seats.hold(self._conversation.tokens)
        if why is not None:
            self._say(self._conversation.refusal(message, why.refusal if isinstance(why, Denied) else why))
        return why is None and not self.is_closing()  # judging may have made the gate look at those inside again

    # From the server

    def from_server(self, data: bytes) -> int:
        """Pass on what comes, and take note of it; return how many bytes a turn has looked at."""
        if self.is_closing():
            return self.received_while_closing(self.up, data)
        try:
            for piece in self._server_reader.feed(data):
                if piece.message is not None and self._conversation.hears_server:
                    left = self._conversation.from_server(piece.message)
                    self._seats.hold(self._conversation.tokens)
                    if left is not None:
                        self._seats.leave(left)
        except MessageError as error:
            self.close(error.code, b"The meeting server sent what is no WebSocket message.")
            return len(data)
        self.up.follower.feed(data)
        self.down.transport.write(self._with_unsaid(data) if self._unsaid else data)
        if self.idle_timeout:
            self.await_frames()
        return len(data)

    def _say(self, messages: Sequence[bytes]) -> None:
        frames = b"".join(map(build_text, messages))
        if self._server_reader.is_closed or self.is_closing():
            return  # nothing follows a Close
        if self._server_reader.is_between_messages:
            self.down.transport.write(frames)
        elif frames:
            self._unsaid.append(frames)

    def _with_unsaid(self, data: bytes) -> bytes:
        """Put what waits to be said behind the server's last whole message in `data`, if one ends there."""
        end = len(data) - len(self._server_reader.unread)
        if end < 0 or self._server_reader.is_closed:
            return data
        unsaid = b"".join(self._unsaid)
        self._unsaid.clear()
        return data[:end] + unsaid + data[end:]

    # Closing by the gate

    @property
    def telling(self) -> Told:
        """How a participant would be told now (Carrier)."""
        return self._seats.telling or (Told.CLOSE if len(self._seats) == 1 else Told.IN_BAND)

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        """Tell the participant why; close, where this connection carries nobody else (Carrier)."""
        self._say(self._conversation.farewell(participant.join, refusal_of(decision, receipt)))
        if len(self._seats) > 1 and self.gate.can_remove:  # else only the end of the connection removes them
            self._seats.expel(participant)
        else:
            super().eject(participant, decision, receipt)

    def close(self, code: int, reason: bytes) -> None:
        """Send the client a Close frame as soon as one can stand, and end."""
        is_first = not self.is_closing()
        super().close(code, reason)
        if is_first:
            self.down.follower.feed(self._client_reader.unread)  # what follows it may be the client's own Close

    def lost(self, side: Side) -> None:
        """One side is gone: the participants leave, and may be taken over elsewhere."""
        super().lost(side)
        if side is self.down:
            self._seats.end()
