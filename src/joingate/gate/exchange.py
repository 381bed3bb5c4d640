"""One request and its response: the phases of a join, in order, from resolve_client to leave.

`begin` is the way in. A request that is a join is judged before any byte goes upstream; if it is admitted the
participant stays on the roster until the response has ended or, for a WebSocket, until the tunnel that takes over has.

The file is long because every way that a request can end, from either side, at any moment, is a way out of one state.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from joingate.codecs.about_page import render_about
from joingate.codecs.close_codes import close_code, close_reason
from joingate.codecs.dialect import Conversation, UnreadableError
from joingate.codecs.http1 import (
    CHUNKED,
    CONTINUE,
    NO_BODY,
    UNTIL_CLOSE,
    Headers,
    RequestHead,
    ResponseHead,
    build_chunk,
    build_last_chunk,
    build_request,
    build_response,
    forbid_extensions,
)
from joingate.codecs.http_answer import render_in_band, render_problem
from joingate.codecs.join_request import AmbiguousRequestError
from joingate.codecs.notice import ABOUT_PATH, Notice, build_notice
from joingate.codecs.notice_response import render_response
from joingate.codecs.websocket import (
    HandshakeError,
    build_accept_response,
    build_close,
    check_acceptance,
    check_handshake,
)
from joingate.core.decision import Decision
from joingate.core.model import Address
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Participant
from joingate.gate.polling import MOST_BODY, Denial, Session
from joingate.gate.reading import ReadTunnel
from joingate.gate.request_body import RequestBody
from joingate.gate.tunnel import Tunnel
from joingate.gate.upstream import UpstreamConnection

if TYPE_CHECKING:
    from joingate.gate.downstream import Downstream

_REPEATABLE: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"PUT"))
"""Idempotent methods (RFC 9110 9.2.2): sending one twice means what sending it once does."""

_ABOUT: Final = ABOUT_PATH.encode()

_NOTHING: Final = RequestBody(NO_BODY)
"""The body of every request that has none; nothing is ever put into it."""


class Exchange:
    """One request on a downstream connection, answered by the gate or by the upstream."""

    __slots__ = (
        "_awaits_body",
        "_body",
        "_client_ip",
        "_connecting",
        "_conversation",
        "_downstream",
        "_keep_alive",
        "_out",
        "_participant",
        "_responding",
        "_response_is_chunked",
        "_session",
        "_upstream",
        "_websocket_key",
        "error",
        "head",
        "is_over",
        "is_received",
        "is_to_head",
    )

    def __init__(self, downstream: "Downstream", head: RequestHead, error: tuple[int, str] | None = None) -> None:
        """Hold a request until its turn; `error` is why it is refused instead."""
        self._downstream = downstream
        self.head = head
        self.error = error
        self.is_to_head = head.method == b"HEAD"
        self.is_received = head.body == NO_BODY  # the request's end has been read
        self.is_over = False
        self._client_ip: Address | None = None
        self._conversation: Conversation | None = None
        self._participant: Participant | None = None
        self._upstream: UpstreamConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._body = _NOTHING if head.body == NO_BODY else RequestBody(head.body)
        self._session: Session | None = None
        self._awaits_body = False  # a join may be in it, so all of it is read before any goes on
        self._responding = False
        self._response_is_chunked = False
        self._keep_alive = True
        self._websocket_key = b""
        self._out: list[bytes] = []

    # The join

    def begin(self) -> None:
        """Answer the request: resolve_client -> locate -> decide -> record -> admit | reject -> relay."""
        if self.error is not None:
            self.refuse(*self.error)
            return
        head, gate = self.head, self._downstream.gate
        if head.target == _ABOUT:
            self._answer_about()
            return
        try:
            join = gate.matcher.match(head.method, head.target, head.headers)
            if head.wants_websocket:
                self._websocket_key = check_handshake(head.method, head.http_version, head.headers)
        except AmbiguousRequestError as error:
            self.refuse(400, error.detail)
            return
        except HandshakeError as error:
            self.refuse(error.status, error.detail, error.headers)
            return
        self._client_ip = self._downstream.peer.client_ip(head.client_address_values or {})
        if join is None and gate.dialect is not None:
            if head.wants_websocket:
                self._conversation = gate.dialect.conversation(head.target, head.headers)
                if self._conversation is not None:
                    forbid_extensions(head)
            elif gate.dialect.reads_body(head):
                self._await_body()
                return
        if join is not None:
            participant, decision, receipt = gate.judge(join, self._client_ip, self)
            if receipt is not None:
                self._reject(participant, decision, receipt)
                return
            self._participant = participant
        self._relay()

    def go_on(self, participant: Participant | None, client_ip: Address | None, upstream: UpstreamConnection) -> None:
        """Take over, instead of beginning, what was judged and sent to the upstream on the fast path."""
        self._client_ip = client_ip
        self._participant = participant
        if participant is not None:
            participant.carrier = self
        self._upstream = upstream
        upstream.sink = self

    @property
    def telling(self) -> Told:
        """How the participant would be told (Carrier). HTTP has no way to say why in the middle of an answer."""
        if self._responding:
            return Told.NOT
        return Told.CLOSE if self._participant is None and self._rejects_by_close() else Told.HTTP

    def _rejects_by_close(self) -> bool:
        # A page's script never sees the status of a failed handshake, only a Close code (WebSockets Standard).
        return self.head.wants_websocket and self._downstream.gate.options.websocket_reject == "close"

    def _reject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        if self._rejects_by_close():
            close = build_close(close_code(decision), close_reason(decision, receipt.code))
            self._downstream.finish(build_accept_response(self._websocket_key) + close)
            self.is_over = True
            return
        self._answer_notice(build_notice(decision, participant.location, receipt=receipt))

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        """End a join that was admitted and is not, or not only, a WebSocket yet (Carrier)."""
        self._drop_upstream()
        if self._responding:
            self._finish(abort=True)
        else:
            self._answer_notice(build_notice(decision, participant.location, receipt=receipt))

    # Answers of the gate's own

    def refuse(self, status: int, detail: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Answer with an error and close: what was not understood cannot be followed by more."""
        response = render_problem(status, detail, keep_alive=False, head_only=self.is_to_head, headers=headers)
        self._answer(response, keep_alive=False)

    def _answer_about(self) -> None:
        keep_alive = self._can_keep_alive()
        language = self._header(b"accept-language")
        operator = self._downstream.gate.options.operator
        page = render_about(operator, accept_language=language, head_only=self.is_to_head, keep_alive=keep_alive)
        self._answer(page, keep_alive=keep_alive)

    def _answer_notice(self, notice: Notice) -> None:
        keep_alive = self._can_keep_alive()
        response = render_response(
            notice,
            accept=self._header(b"accept"),
            accept_language=self._header(b"accept-language"),
            head_only=self.is_to_head,
            keep_alive=keep_alive,
        )
        self._answer(response, keep_alive=keep_alive)

    def _answer(self, response: bytes, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive
        self._responding = True
        self._out.append(response)
        self._finish()

    def _can_keep_alive(self) -> bool:
        """Whether another request can follow an answer given before the request's body was read."""
        return self.head.keep_alive and self.head.body == NO_BODY and not self._downstream.gate.is_draining

    def _header(self, name: bytes) -> str:
        return ", ".join(value.decode("latin-1") for key, value in self.head.headers if key.lower() == name)

    # To the upstream

    def _relay(self) -> None:
        if self.head.expects_continue and not self.is_received:
            self._downstream.write(CONTINUE)
        self._downstream.await_response()
        upstream = self._downstream.pool.take(self._downstream.time(), is_repeatable=self._is_repeatable())
        if upstream is not None:
            self._send(upstream)
        else:
            self._connect()

    def _is_repeatable(self) -> bool:
        return self.head.method in _REPEATABLE and self.head.body == NO_BODY

    def _connect(self) -> None:
        if self.head.body != NO_BODY and not self.is_received:
            self._downstream.hold_request_body(True)
        self._connecting = asyncio.get_running_loop().create_task(self._connect_and_send())

    async def _connect_and_send(self) -> None:
        try:
            upstream = await self._downstream.pool.connect()
        except TimeoutError:
            self._fail(504, "The meeting server did not accept a connection in time.")
            return
        except OSError:
            self._fail(502, "The meeting server could not be reached.")
            return
        finally:
            self._connecting = None
        if self.is_over:
            upstream.abort()
            return
        self._downstream.hold_request_body(False)
        self._send(upstream)

    def _send(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        downstream = self._downstream
        forwarded = downstream.peer.forwarded_lines(self.head.client_address_values or {}, self._client_ip)
        request = build_request(self.head, downstream.pool.options.host_header, forwarded)
        if self.head.body != NO_BODY:
            request += self._body.take_framed()
        upstream.carry(self, request)

    def request_body(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        if self.is_over or self.error is not None:
            return
        self._body.add(data)
        self._pass_on()

    def request_end(self, trailers: Headers) -> None:
        """Take the end of the request."""
        self.is_received = True
        if self.head.body != NO_BODY and not self.is_over and self.error is None:
            self._body.end(trailers)
            self._pass_on()

    def _pass_on(self) -> None:
        if self._upstream is not None:
            self._upstream.transport.write(self._body.take_framed())
        elif self._awaits_body:
            self._read_body()

    # Joins in bodies

    def _await_body(self) -> None:
        self._awaits_body = True
        if self.head.expects_continue and not self.is_received:
            self._downstream.write(CONTINUE)
        self._downstream.await_response()
        self._read_body()

    def _read_body(self) -> None:
        """Judge what the whole body says, and relay it."""
        if self._body.size > MOST_BODY:
            self._awaits_body = False
            self.refuse(413, f"The request's body has more than {MOST_BODY} bytes.")
            return
        polling = self._downstream.gate.polling
        if not self.is_received or polling is None:
            return
        self._awaits_body = False
        try:
            found = polling.judge(self.head, self._body.kept(), self._client_ip)
        except UnreadableError as error:
            self.refuse(400, str(error))
            return
        if isinstance(found, Denial):
            self.deny(found)
            return
        if found is not None:
            self._session = found
            found.polls.add(self)
        self._relay()

    def deny(self, denial: Denial) -> None:
        """Answer with a denial instead of the meeting server's answer, unless that has begun (Poll)."""
        if self._responding:
            return
        self._drop_upstream()
        if denial.in_band is not None:
            keep_alive = self._can_keep_alive() or (self.is_received and self.head.keep_alive)
            self._answer(render_in_band(*denial.in_band, keep_alive=keep_alive), keep_alive=keep_alive)
        elif denial.notice is not None:
            self._answer_notice(denial.notice)
        else:
            self._fail(503, "The gate is full.")

    def upstream_is_full(self, is_full: bool) -> None:
        """Stop or go on reading the request's body (ResponseSink)."""
        self._downstream.hold_request_body(is_full)

    def downstream_is_full(self, is_full: bool) -> None:
        """Stop or go on reading the response."""
        if self._upstream is not None:
            self._upstream.hold(is_full)

    # From the upstream

    def response_head(self, head: ResponseHead) -> None:
        """Take the response's head (ResponseSink)."""
        self._responding = True
        if self._participant is not None:
            self._remember(self._participant, head)
        version = self.head.http_version
        of_unknown_length = head.body in {CHUNKED, UNTIL_CLOSE}
        self._response_is_chunked = of_unknown_length and version == "1.1"
        self._keep_alive = (
            self.head.keep_alive
            and self.is_received
            and not (of_unknown_length and version == "1.0")
            and not self._downstream.gate.is_draining
        )
        self._out.append(build_response(head, version, keep_alive=self._keep_alive))

    def _remember(self, participant: Participant, head: ResponseHead) -> None:
        """Keep in mind by which token the client will go on, where this answer gives one."""
        gate = self._downstream.gate
        token = None if gate.dialect is None else gate.dialect.left_by(participant.join, head)
        if token is not None:
            gate.resumption.keep(token, [participant.join])

    def response_body(self, data: bytes) -> None:
        """Take a piece of the response's body (ResponseSink)."""
        self._out.append(build_chunk(data) if self._response_is_chunked else data)

    def response_end(self, trailers: Headers, *, reusable: bool) -> None:
        """Take the end of the response (ResponseSink)."""
        if self._response_is_chunked:
            self._out.append(build_last_chunk(trailers))
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            if self.is_received and not upstream.transport.get_write_buffer_size():
                upstream.release(reusable=reusable)
            else:
                upstream.abort()  # it has answered without reading the body: nobody waits for the rest to be sent
        self._finish()

    def flush(self) -> None:
        """Write what one read from the upstream has brought, in one piece (ResponseSink)."""
        if self._out and not self.is_over:
            self._downstream.write(b"".join(self._out))
            self._out.clear()
            self._downstream.await_response()

    def upgraded(self, headers: Headers, rest: bytes) -> None:
        """Become a tunnel, if this 101 answers this handshake (ResponseSink)."""
        upstream, self._upstream = self._upstream, None
        if upstream is None or self.is_over:
            return
        if not self._websocket_key or not check_acceptance(self._websocket_key, 101, headers):
            upstream.abort()
            self._fail(502, "The meeting server switched protocols without having been asked to in this way.")
            return
        self.is_over = True
        gate, conversation = self._downstream.gate, self._conversation
        if conversation is None:
            tunnel = Tunnel(gate, self._participant)
        else:
            tunnel = ReadTunnel(gate, conversation, self._client_ip)
        self._participant = None
        self._downstream.become(tunnel, upstream.transport, headers, rest)

    def upstream_lost(self, why: str, *, is_silent: bool) -> None:
        """Repeat on a new connection if this one had only gone stale; otherwise say what failed (ResponseSink)."""
        upstream, self._upstream = self._upstream, None
        if self.is_over:
            return
        is_stale = upstream is not None and upstream.is_reused and is_silent
        if is_stale and self._is_repeatable():
            self._connect()
        elif self._responding:
            self._finish(abort=True)
        else:
            self._fail(502, f"The meeting server gave no answer: {why}.")

    # The end

    def _fail(self, status: int, detail: str) -> None:
        if self.is_over:
            return
        self._drop_upstream()
        keep_alive = self._can_keep_alive() or (self.is_received and self.head.keep_alive)
        response = render_problem(status, detail, keep_alive=keep_alive, head_only=self.is_to_head)
        self._answer(response, keep_alive=keep_alive)

    def on_deadline(self) -> None:
        """Give up waiting, for the rest of the request or for the response."""
        if self._responding:
            self._finish(abort=True)
        elif self.is_received:
            self._fail(504, "The meeting server did not answer in time.")
        else:
            self._drop_upstream()
            self.refuse(408, "The request did not arrive in time.")

    def abandon(self) -> None:
        """Let go of everything: the downstream is gone."""
        self.is_over = True
        self._drop_upstream()
        self._leave()

    def _drop_upstream(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.abort()

    def _finish(self, *, abort: bool = False) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._leave()
        if abort:
            self._downstream.abort()
            return
        if self._out:
            self._downstream.write(b"".join(self._out))
            self._out.clear()
        self._downstream.exchange_over(keep_alive=self._keep_alive and self.is_received)

    def _leave(self) -> None:
        participant, self._participant = self._participant, None
        if participant is not None:
            self._downstream.gate.leave(participant)
        if self._session is not None:
            self._session.polls.discard(self)
            self._session = None
