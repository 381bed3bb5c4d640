"""What jansson, by which Janus reads JSON, makes of a text, and what the dialect makes of it."""

import ctypes

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joingate.codecs.dialect import UnreadableError
from joingate.codecs.janus_requests import read_request

pytestmark = pytest.mark.integration


class Jansson:
    """Debian's libjansson, by which Janus reads JSON."""

    def __init__(self) -> None:
        library = ctypes.CDLL("libjansson.so.4")
        self._loadb = library.json_loadb
        self._loadb.restype = ctypes.c_void_p
        self._loadb.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
        self._dumps = library.json_dumps
        self._dumps.restype = ctypes.c_void_p
        self._dumps.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        self._free = ctypes.CDLL(None).free
        self._free.argtypes = (ctypes.c_void_p,)

    def read(self, text: bytes) -> bytes | None:
        """Return what json_loads() makes of a text, written out again; None for what it refuses."""
        before = text.partition(b"\0")[0]  # a C string ends there
        tree = self._loadb(before, len(before), 0, None)
        if not tree:
            return None
        written = self._dumps(tree, 0)  # the tree itself is left behind: a test reads few
        try:
            return ctypes.string_at(written)
        finally:
            self._free(written)


WORDS = rb"""
    { } [ ] , : "janus" "j\u0061nus" "session_id" "x" "\ud800" "\ud83d\ude00" "\u0000" "\/" "\x" "message" 'x' 1 01 -0
    +1 1.0 1e3 1E400 9223372036854775807 9223372036854775808 18446744073709551616 true null True NaN /**/
""".split()
BETWEEN = (b" ", b"\n", b"\t", b"\r", b"\0", b"\x0b", b"\xc2\xa0", b"\xef\xbb\xbf")
BYTES = (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\x1f", b"\x7f", b"\xf4\x90\x80\x80", b"\xef\xbf\xbf")
texts = st.sampled_from((*WORDS, *BETWEEN, *(b'"%b"' % each for each in BYTES)))
members = st.lists(st.tuples(texts, texts).map(b":".join), max_size=4).map(b",".join)
objects = st.tuples(texts | st.just(b""), members).map(lambda parts: parts[0] + b"{" + parts[1] + b"}" + parts[0])


@pytest.fixture(scope="module")
def jansson() -> Jansson:
    return Jansson()


@settings(max_examples=3000)
@given(text=st.lists(texts, max_size=9).map(b"".join) | members.map(lambda text: b"{" + text + b"}") | objects)
def test_what_jansson_reads_is_read_alike_or_refused(jansson: Jansson, text: bytes) -> None:
    try:
        read_request(text)
    except UnreadableError:
        return
    read = jansson.read(text)
    # What jansson refuses gets nobody in, and Janus answers it with an error.
    assert read is None or orjson.loads(read) == orjson.loads(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b'{"janus":"ping","j\\u0061nus":"message"}', b'{"janus": "message"}'),
        (b'{"x":1e3}', b'{"x": 1000.0}'),
        (b'{"x":-0}', b'{"x": 0}'),
        (b'{"x":9223372036854775808}', None),
        (b'{"x":"\\u0000"}', None),
        (b'{"x":"\xff"}', None),
        (b'{"x":1} {"x":2}', None),  # on a WebSocket Janus asks for no end of the text, and reads both
        (b'{"x":1}\0{"x":2}', b'{"x": 1}'),
    ],
)
def test_what_jansson_makes_of_it(jansson: Jansson, text: bytes, read: bytes | None) -> None:
    assert jansson.read(text) == read
