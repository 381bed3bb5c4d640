"""Frame boundaries, Close frames and handshakes (RFC 6455), against a plain reading of the RFC kept in this file."""

import base64
import contextlib
import hashlib
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.websocket import (
    FrameFollower,
    HandshakeError,
    accept_value,
    build_accept_response,
    build_close,
    check_acceptance,
    check_handshake,
    is_valid_key,
)

# The RFC's own example (1.3)
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def frame(
    payload: bytes, opcode: int = 2, *, fin: bool = True, mask: bytes | None = None, length_size: int | None = None
) -> bytes:
    """Build a frame; `length_size` (0, 2 or 8 extra bytes) may be longer than it has to be."""
    if length_size is None:
        length_size = 0 if len(payload) < 126 else 2 if len(payload) < 1 << 16 else 8
    seven = {0: len(payload), 2: 126, 8: 127}[length_size]
    extra = len(payload).to_bytes(length_size, "big") if length_size else b""
    bits = 0 if mask is None else 128
    masked = payload if mask is None else bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes((opcode | (128 if fin else 0), seven | bits)) + extra + (mask or b"") + masked


class Reading:
    """What a byte-by-byte reader of RFC 6455 5.2 knows after every prefix of a stream."""

    def __init__(self, stream: bytes) -> None:
        self.boundaries = {0}
        self.broken_from = sys.maxsize
        self.closed_from = sys.maxsize
        at = 0
        while at < len(stream):
            first = stream[at]
            if first % 16 == 8:
                self.closed_from = min(self.closed_from, at + 1)
            if len(stream) < at + 2:
                return
            second = stream[at + 1]
            if first % 16 >= 8 and (first < 128 or second % 128 > 125):
                self.broken_from = at + 2
                return
            length_at = at + 2
            length_size = {126: 2, 127: 8}.get(second % 128, 0)
            if len(stream) < length_at + length_size:
                return
            length = second % 128
            if length_size:
                length = int.from_bytes(stream[length_at : length_at + length_size], "big")
            if length >= 2**63:
                self.broken_from = length_at + length_size
                return
            at = length_at + length_size + (4 if second >= 128 else 0) + length
            if at <= len(stream):
                self.boundaries.add(at)


def state(follower: FrameFollower) -> tuple[bool, bool, bool]:
    return follower.at_boundary, follower.broken, follower.close_seen


masks = st.none() | st.binary(min_size=4, max_size=4)
frames = st.one_of(
    st.builds(frame, st.binary(max_size=130), st.sampled_from([0, 1, 2, 3, 7]), fin=st.booleans(), mask=masks),
    st.builds(frame, st.binary(max_size=20), mask=masks, length_size=st.sampled_from([2, 8])),
    st.builds(frame, st.binary(max_size=125), st.sampled_from([8, 9, 10, 11, 15]), mask=masks),
)
streams = st.builds(
    lambda parts, tail: b"".join(parts) + tail, st.lists(frames, max_size=6), st.binary(max_size=12) | frames
)


def cut(stream: bytes, marks: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(mark % (len(stream) + 1) for mark in marks)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(streams)
def test_byte_by_byte_and_whole_agree_with_a_plain_reading(stream: bytes) -> None:
    reading = Reading(stream)
    follower = FrameFollower()
    for end in range(len(stream) + 1):
        follower.feed(stream[end - 1 : end] if end else b"")
        expected = end in reading.boundaries, end >= reading.broken_from, end >= reading.closed_from
        assert state(follower) == expected
        whole = FrameFollower()
        whole.feed(stream[:end])
        assert state(whole) == expected


@given(streams, st.lists(st.integers(0, 1000), max_size=8), st.sampled_from([bytes, bytearray, memoryview]))
def test_chunks_of_any_kind_and_size_agree_with_a_plain_reading(
    stream: bytes, marks: list[int], kind: type[bytes | bytearray | memoryview]
) -> None:
    reading = Reading(stream)
    follower = FrameFollower()
    end = 0
    for chunk in cut(stream, marks):
        follower.feed(kind(chunk))
        end += len(chunk)
        assert state(follower) == (end in reading.boundaries, end >= reading.broken_from, end >= reading.closed_from)


@given(streams, st.lists(st.integers(0, 1000), max_size=8), st.integers(1, 3))
def test_a_limit_of_frames_stops_at_a_boundary_and_loses_nothing(stream: bytes, marks: list[int], most: int) -> None:
    reading = Reading(stream)
    follower = FrameFollower()
    end = 0
    for chunk in cut(stream, marks):
        rest = chunk
        while rest:
            begins = end in reading.boundaries
            used = follower.feed(rest, most)
            passed = [at for at in reading.boundaries if end < at < end + used]
            assert len(passed) + begins <= most
            assert used == len(rest) or (used and follower.at_boundary)
            rest, end = rest[used:], end + used
            assert state(follower) == (
                end in reading.boundaries,
                end >= reading.broken_from,
                end >= reading.closed_from,
            )


@given(streams, st.lists(st.integers(0, 1000), max_size=8))
def test_feed_until_boundary_stops_at_the_first_boundary(stream: bytes, marks: list[int]) -> None:
    reading = Reading(stream)
    follower = FrameFollower()
    end = 0
    for chunk in cut(stream, marks):
        beyond = [at for at in reading.boundaries if end <= at <= end + len(chunk)]
        used = follower.feed_until_boundary(chunk)
        assert used == (min(beyond) - end if beyond else len(chunk))
        assert follower.at_boundary == bool(beyond)
        assert follower.feed_until_boundary(b"") == 0
        follower.feed(chunk[used:])
        end += len(chunk)
        assert follower.at_boundary == (end in reading.boundaries)


def test_feed_until_boundary_ends_the_frame_under_way_and_leaves_the_next() -> None:
    follower = FrameFollower()
    assert follower.feed_until_boundary(frame(b"whole")) == 0  # nothing is under way
    first, second = frame(b"x" * 70_000, mask=b"abcd"), frame(b"next", 1)
    follower.feed(first[:5])  # inside the header
    assert follower.feed_until_boundary(first[5:60_000]) == 59_995
    assert follower.feed_until_boundary(first[60_000:] + second) == len(first) - 60_000
    follower.feed(second)
    assert state(follower) == (True, False, False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("mask", [None, b"\x00\xff\x7e\x7f"])
def test_every_length_form(size: int, mask: bytes | None) -> None:
    whole = frame(b"\x88" * size, mask=mask)  # a payload that looks like Close frames
    follower = FrameFollower()
    follower.feed(whole + whole)
    assert state(follower) == (True, False, False)
    follower.feed(whole[:-1])
    assert state(follower) == (False, False, False)
    follower.feed(whole[-1:])
    assert state(follower) == (True, False, False)


def test_the_longest_frame_is_followed() -> None:
    follower = FrameFollower()
    follower.feed(b"\x82\x7f" + (2**63 - 1).to_bytes(8, "big") + b"payload")
    assert state(follower) == (False, False, False)
    assert follower.feed_until_boundary(b"more") == 4


@pytest.mark.parametrize(
    "header",
    [
        b"\x82\x7f\x80" + bytes(7),  # a 64-bit length with its top bit set
        b"\x82\xff\xff" + bytes(7),
        b"\x89\x7e",  # a control frame over 125 bytes
        b"\x8a\xff",
        b"\x88\x7e",
        b"\x08\x00",  # a control frame in fragments
        b"\x0f\x80",
    ],
    ids=bytes.hex,
)
def test_a_header_that_cannot_be_breaks_the_direction_for_good(header: bytes) -> None:
    for chunks in ([header], [header[:1], header[1:]], [frame(b"good") + header]):
        follower = FrameFollower()
        for chunk in chunks:
            follower.feed(chunk)
        assert follower.broken
        follower.feed(frame(b"good"))
        assert follower.feed_until_boundary(frame(b"good")) == len(frame(b"good"))
        assert follower.broken
        assert not follower.at_boundary


@pytest.mark.parametrize("opcode", [3, 7, 11, 15])
def test_reserved_opcodes_and_bits_are_relayed(opcode: int) -> None:
    follower = FrameFollower()
    follower.feed(frame(b"x", opcode | 0x70))
    assert state(follower) == (True, False, False)


def test_a_close_counts_from_its_first_byte() -> None:
    follower = FrameFollower()
    follower.feed(frame(b"last words", 1) + b"\x88")
    assert state(follower) == (False, False, True)
    follower.feed(b"\x00")
    assert state(follower) == (True, False, True)


def test_a_follower_is_small() -> None:
    follower = FrameFollower()
    assert not hasattr(follower, "__dict__")
    assert sys.getsizeof(follower) <= 64


@given(
    st.one_of(st.integers(1000, 1003), st.integers(1007, 1014), st.integers(3000, 4999)),
    st.text(max_size=30),
    masks,
)
def test_close_frames(code: int, reason: str, mask: bytes | None) -> None:
    text = reason.encode()
    built = build_close(code, text, mask=mask)
    assert built == frame(code.to_bytes(2, "big") + text, 8, mask=mask)
    follower = FrameFollower()
    follower.feed(built)
    assert state(follower) == (True, False, True)


def test_close_frames_byte_for_byte() -> None:
    assert build_close(4451) == b"\x88\x02\x11\x63"
    assert build_close(1001, b"bye", mask=b"\x01\x02\x03\x04") == b"\x88\x85\x01\x02\x03\x04\x02\xeb\x61\x7d\x64"
    assert len(build_close(4451, b"x" * 123, mask=b"abcd")) == 2 + 4 + 125


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_536])
def test_codes_that_may_not_be_sent(code: int) -> None:
    with pytest.raises(ValueError, match=f"^close code {code} may not be sent$"):
        build_close(code)


@pytest.mark.parametrize(
    ("reason", "mask", "message"),
    [
        (b"x" * 124, None, "a close reason has at most 123 bytes"),
        ("\u00e9".encode()[:1], None, "a close reason is UTF-8"),
        (b"\xed\xa0\x80", None, "a close reason is UTF-8"),  # a surrogate
        (b"", b"", "a mask has 4 bytes"),
        (b"", b"12345", "a mask has 4 bytes"),
    ],
)
def test_close_frames_that_are_refused(reason: bytes, mask: bytes | None, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        build_close(4451, reason, mask=mask)


def test_accept_value_of_the_rfc() -> None:
    assert accept_value(KEY) == ACCEPT


@given(st.binary(min_size=16, max_size=16))
def test_keys_of_16_bytes(nonce: bytes) -> None:
    key = base64.b64encode(nonce)
    assert is_valid_key(key)
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    assert base64.b64decode(accept_value(key)) == digest


BAD_KEYS = [b"", KEY[:-1], KEY[:-2], KEY + b"=", KEY + b"\n", b" " + KEY, b"-" + KEY[1:], b"A" * 20 + b"===="]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_other_keys(key: bytes) -> None:
    assert not is_valid_key(key)


@given(st.binary(max_size=40).filter(lambda nonce: len(nonce) != 16))
def test_keys_of_other_lengths(nonce: bytes) -> None:
    assert not is_valid_key(base64.b64encode(nonce))


HANDSHAKE = [
    (b"Host", b"meet.example"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Key", KEY),
    (b"Sec-WebSocket-Version", b"13"),
]


def without(*names: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in HANDSHAKE if name not in names]


@pytest.mark.parametrize(
    "headers",
    [
        HANDSHAKE,
        [(name.lower(), value) for name, value in HANDSHAKE],
        [*without(b"Upgrade"), (b"UPGRADE", b"h2c, WebSocket")],
        [*without(b"Connection"), (b"connection", b"keep-alive,, upgrade ")],
        [*without(b"Connection"), (b"Connection", b"keep-alive"), (b"Connection", b"UPGRADE")],
        [*without(b"Sec-WebSocket-Key"), (b"Sec-WebSocket-Key", b"\t" + KEY + b" ")],
    ],
)
def test_good_handshakes(headers: list[tuple[bytes, bytes]]) -> None:
    assert check_handshake(b"GET", "1.1", headers) == KEY


NO_UPGRADE = "the Upgrade header does not name websocket"
NO_CONNECTION = "the Connection header does not name upgrade"
ONE_VERSION = "a WebSocket handshake has one Sec-WebSocket-Version"
ONE_KEY = "a WebSocket handshake has one Sec-WebSocket-Key, 16 bytes in base64"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (without(b"Upgrade"), NO_UPGRADE),
        ([*without(b"Upgrade"), (b"Upgrade", b"websockets, h2c")], NO_UPGRADE),
        (without(b"Connection"), NO_CONNECTION),
        ([*without(b"Connection"), (b"Connection", b"keep-alive, upgrades")], NO_CONNECTION),
        (without(b"Sec-WebSocket-Version"), ONE_VERSION),
        ([*HANDSHAKE, (b"sec-websocket-version", b"13")], ONE_VERSION),
        (without(b"Sec-WebSocket-Key"), ONE_KEY),
        ([*HANDSHAKE, (b"sec-websocket-key", KEY)], ONE_KEY),
        *(([*without(b"Sec-WebSocket-Key"), (b"Sec-WebSocket-Key", b"x" + key)], ONE_KEY) for key in BAD_KEYS),
    ],
)
def test_malformed_handshakes(headers: list[tuple[bytes, bytes]], detail: str) -> None:
    with pytest.raises(HandshakeError) as caught:
        check_handshake(b"GET", "1.1", headers)
    assert (str(caught.value), caught.value.status, caught.value.headers) == (detail, 400, ())


@pytest.mark.parametrize("method", [b"get", b"POST", b"HEAD", b""])
def test_a_handshake_is_a_get(method: bytes) -> None:
    with pytest.raises(HandshakeError, match=r"^a WebSocket handshake is a GET request$"):
        check_handshake(method, "1.1", HANDSHAKE)


@pytest.mark.parametrize("version", ["1.0", "0.9", "2.0", ""])
def test_a_handshake_is_http_1_1(version: str) -> None:
    with pytest.raises(HandshakeError, match=r"^a WebSocket handshake needs HTTP/1\.1$"):
        check_handshake(b"GET", version, HANDSHAKE)


@pytest.mark.parametrize("version", [b"8", b"14", b"013", b"13, 8", b""])
def test_another_version_is_answered_with_the_one_spoken(version: bytes) -> None:
    headers = [*without(b"Sec-WebSocket-Version"), (b"Sec-WebSocket-Version", version)]
    with pytest.raises(HandshakeError) as caught:
        check_handshake(b"GET", "1.1", headers)
    assert caught.value.detail == "only WebSocket version 13 is spoken here"
    assert caught.value.status == 426
    assert caught.value.headers == ((b"Sec-WebSocket-Version", b"13"), (b"Upgrade", b"websocket"))


ACCEPTANCE = [(b"Upgrade", b"WebSocket"), (b"Connection", b"upgrade, x"), (b"Sec-WebSocket-Accept", ACCEPT)]


@pytest.mark.parametrize(
    ("status", "headers", "accepted"),
    [
        (101, ACCEPTANCE, True),
        (101, [(name.upper(), b" " + value) for name, value in ACCEPTANCE], True),
        (200, ACCEPTANCE, False),
        (101, ACCEPTANCE[1:], False),
        (101, ACCEPTANCE[:1] + ACCEPTANCE[2:], False),
        (101, ACCEPTANCE[:2], False),
        (101, [*ACCEPTANCE, ACCEPTANCE[2]], False),
        (101, [*ACCEPTANCE, (b"upgrade", b"h2c")], False),
        (101, [*ACCEPTANCE[:2], (b"Sec-WebSocket-Accept", ACCEPT.lower())], False),
        (101, [*ACCEPTANCE[:2], (b"Sec-WebSocket-Accept", accept_value(b"A" * 22 + b"=="))], False),
    ],
)
def test_acceptance(status: int, headers: list[tuple[bytes, bytes]], accepted: bool) -> None:
    assert check_acceptance(KEY, status, headers) is accepted


def test_the_accepting_response() -> None:
    assert build_accept_response(KEY) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )


header_lines = st.tuples(
    st.sampled_from([name for name, _ in HANDSHAKE]) | st.binary(max_size=9),
    st.sampled_from([value for _, value in HANDSHAKE]) | st.binary(max_size=30),
)


@given(
    st.binary(max_size=5) | st.just(b"GET"), st.text(max_size=4) | st.just("1.1"), st.lists(header_lines, max_size=8)
)
def test_any_request_is_a_handshake_or_an_error_of_one(
    method: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> None:
    with contextlib.suppress(HandshakeError):
        assert is_valid_key(check_handshake(method, version, headers))
    check_acceptance(KEY, 101, headers)
