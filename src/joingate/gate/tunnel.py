"""A WebSocket between a participant and the meeting server, after a checked 101: bytes through, boundaries followed.

Nothing is read into, altered or delayed. The gate knows where frames end, so that an ejection can put one clean Close
frame between two of the server's frames; from then on nothing of the participant reaches the server any more. An
ejection has a deadline of its own: a peer that does not answer the Close, or does not even read it, is cut.
"""

import asyncio
import math
import os
from typing import ClassVar, Final

from joingate.codecs.close_codes import close_code, close_reason
from joingate.codecs.websocket import Chunk, FrameFollower, build_close
from joingate.core.decision import Decision
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.gate.gate import Gate
from joingate.gate.upstream import LARGE_READ, WRITE_BUFFER

GOING_AWAY: Final = 1001  # RFC 6455 7.4.1: an endpoint is going away, such as a server going down

FRAMES: Final = 128
"""Frames that begin in one turn of the event loop: a tenth of a millisecond of work. One read can bring 128,000
of the smallest, which are followed one by one."""


class Side(asyncio.Protocol):
    """One end of a tunnel: what arrives here goes to the other side, as much in a turn as keeps nobody else waiting."""

    __slots__ = ("_rest", "follower", "held", "is_lost", "other", "transport", "tunnel")
    __deletable__ = ("other", "tunnel")  # for mypyc, which wants to know

    other: "Side"  # set by Tunnel.begin

    def __init__(self, tunnel: "Tunnel", transport: asyncio.Transport) -> None:
        self.tunnel = tunnel
        self.transport = transport
        self.follower = FrameFollower()
        self._rest: Chunk = b""  # what has been read, for the turns to come
        self.is_lost = False
        self.held = 0  # bytes that its peer has not taken, at the last look; 0 while it takes what comes

    def data_received(self, data: Chunk) -> None:
        if self._rest:
            self._rest = bytes(self._rest) + data
            self._stop_reading()
            return
        used, size = self.read(data), len(data)
        if used < size or size >= LARGE_READ:
            self._rest = memoryview(data)[used:]  # no copy: there may be a thousand turns to come
            self._give_way()

    def read(self, data: Chunk) -> int:
        """Pass on what a turn may, and return how many bytes that was."""
        tunnel = self.tunnel
        if tunnel.close_frame is not None:
            return tunnel.received_while_closing(self, data)
        used = self.follower.feed(data, FRAMES)
        self.other.transport.write(data if used == len(data) else data[:used])
        if tunnel.idle_timeout:
            tunnel.await_frames()
        return used

    def _give_way(self) -> None:
        """Read no more before everybody else has had a turn."""
        self._stop_reading()
        asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        if self.is_lost:
            return
        if self._rest:
            rest, self._rest = self._rest, b""
            self.data_received(rest)
        self.go_on()

    def _stop_reading(self) -> None:
        if not self.is_lost and not self.transport.is_closing() and self.transport.is_reading():
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Read again, unless something is left of what was read, or the other side is full."""
        if not self._rest and not self.is_lost and not self.other.held and not self.transport.is_closing():
            self.transport.resume_reading()

    def eof_received(self) -> None:
        """Let asyncio close this side; the other follows."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.is_lost = True
        self.tunnel.lost(self)
        if self.other.is_lost:  # all is over: nothing may be left for the collector
            del self.other.tunnel, self.other.other, self.tunnel, self.other

    def pause_writing(self) -> None:
        self.held = self.transport.get_write_buffer_size()
        self.tunnel.await_taking()
        if not self.other.is_lost and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        self.held = 0
        self.tunnel.await_frames()
        self.other.go_on()


class Tunnel:
    """The two sides and, where the WebSocket is a join, its participant."""

    __slots__ = ("close_frame", "deadline", "down", "gate", "idle_timeout", "participant", "up")

    down: Side  # until `begin` there is neither
    up: Side
    client_side: ClassVar[type[Side]] = Side
    server_side: ClassVar[type[Side]] = Side

    def __init__(self, gate: Gate, participant: Participant | None) -> None:
        """Stand in for the exchange that led here; `begin` connects the sides."""
        self.gate = gate
        self.participant = participant
        self.deadline = math.inf
        self.idle_timeout = gate.options.websocket_idle_timeout
        self.close_frame: bytes | None = None  # the gate's own Close: pending, or b"" once sent
        if participant is not None:
            participant.carrier = self

    def begin(
        self,
        downstream: asyncio.Transport,
        upstream: asyncio.Transport,
        *,
        from_downstream: bytes,
        from_upstream: bytes,
    ) -> None:
        """Relay from now on, beginning with what has already been read."""
        self.down, self.up = self.client_side(self, downstream), self.server_side(self, upstream)
        self.down.other, self.up.other = self.up, self.down
        self.gate.connections.add(self)
        self.await_frames()
        for side in (self.down, self.up):
            side.transport.set_write_buffer_limits(high=WRITE_BUFFER)
            side.transport.set_protocol(side)
            if not side.transport.is_reading():
                side.transport.resume_reading()
        if from_downstream:  # only now: either may fill the other side, which must then be able to stop it
            self.down.data_received(from_downstream)
        if from_upstream:
            self.up.data_received(from_upstream)

    # Waiting

    def await_frames(self) -> None:
        """Wait from now on for the next frame, where silence has a limit."""
        if self.close_frame is None and not self.down.held and not self.up.held:
            self.deadline = self.gate.loop_time() + self.idle_timeout if self.idle_timeout else math.inf

    def await_taking(self) -> None:
        """Wait from now on for a peer to take something; what the other one sends meanwhile changes nothing."""
        if self.close_frame is None:
            self.deadline = self.gate.loop_time() + self.gate.options.send_timeout

    def _is_taken(self) -> bool:
        """Whether a peer that does not take all that comes has taken something since the last look."""
        is_taken = False
        for side in (self.down, self.up):
            if side.held and (left := side.transport.get_write_buffer_size()) < side.held:
                side.held, is_taken = left, True
        return is_taken

    # Closing by the gate

    def is_closing(self) -> bool:
        """Whether the gate has decided to close; nothing of the participant is relayed any more."""
        return self.close_frame is not None

    @property
    def telling(self) -> Told:
        """How the participant would be told (Carrier)."""
        return Told.CLOSE

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:  # noqa: ARG002 - Carrier's
        """Tell the participant why, at the next frame boundary, and close (Carrier)."""
        self.close(close_code(decision), close_reason(decision, receipt.code))

    def drain(self) -> None:
        """Close because the gate is going away."""
        self.close(GOING_AWAY, b"The gate is going away.")

    def close(self, code: int, reason: bytes) -> None:
        """Send the participant a Close frame as soon as one can stand, and end."""
        if self.close_frame is not None:
            return
        self.close_frame = build_close(code, reason)
        self.deadline = self.gate.loop_time() + self.gate.options.close_timeout
        self._resume(self.down)
        self._resume(self.up)
        down_to_up = self.down.follower
        if down_to_up.at_boundary and not down_to_up.close_seen and not self.up.transport.is_closing():
            self.up.transport.write(build_close(GOING_AWAY, mask=os.urandom(4)))
        self._send_close_at_boundary()

    def _resume(self, side: Side) -> None:
        """Read on whatever the other side cannot take: it is not relayed any more."""
        if not side.is_lost and not side.transport.is_closing() and not side.transport.is_reading():
            side.transport.resume_reading()

    def _send_close_at_boundary(self) -> None:
        follower = self.up.follower
        if not follower.at_boundary and not follower.broken and not self.up.is_lost:
            return  # the rest of the server's frame comes first
        if self.close_frame and follower.at_boundary and not follower.close_seen:
            self.down.transport.write(self.close_frame)
        self.close_frame = b""
        if not self.up.is_lost:
            self.up.transport.close()
        if follower.close_seen or not follower.at_boundary or self.down.follower.close_seen:
            self.down.transport.close()

    def received_while_closing(self, side: Side, data: Chunk) -> int:
        """Take what arrives after the gate has decided to close: the rest of a frame, or the peer's own Close.

        Returns:
            how many bytes of it a turn has looked at.
        """
        if side is self.up:
            if self.close_frame:
                used = side.follower.feed_until_boundary(data)
                self.down.transport.write(data[:used])
                self._send_close_at_boundary()
            return len(data)
        used = side.follower.feed(data, FRAMES)
        if side.follower.close_seen and not self.close_frame:
            self.down.transport.close()
        return used

    # Ends

    def lost(self, side: Side) -> None:
        """One side is gone: the other ends when what was written to it has been sent."""
        if side is self.up and self.close_frame:
            self._send_close_at_boundary()
        elif side is self.down or self.close_frame is None:
            side.other.transport.close()
        if side.other.is_lost:
            self.gate.connections.discard(self)
        elif self.close_frame is None:
            self.close_frame = b""
            self.deadline = self.gate.loop_time() + self.gate.options.close_timeout
        participant = self.participant
        if side is self.down and participant is not None:
            self.participant = None
            self.gate.leave(participant)

    def on_deadline(self) -> None:
        """Cut what did not end by itself."""
        self.deadline = math.inf
        if self.close_frame is not None or self.up.is_lost:
            self.abort()
        elif not self.down.held and not self.up.held:
            self.close(GOING_AWAY, b"Nothing was sent for too long.")
        elif self._is_taken():
            self.await_taking()
        elif self.down.held:
            self.abort()  # whoever takes nothing takes no Close either
        else:
            self.close(GOING_AWAY, b"The meeting server took nothing for too long.")

    def abort(self) -> None:
        """End now."""
        self.up.transport.abort()
        self.down.transport.abort()
