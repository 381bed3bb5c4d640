from base64 import urlsafe_b64encode

import pytest

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.join_route import Source
from joingate.codecs.join_values import read_cookie, read_header, read_parameter, value_reader

TWICE = '"room" is given more than once.'
VARIANT = '"room" is spelled as some servers take it and others not.'
SEMICOLON = 'The query parameter "room" depends on whether ";" separates.'
STRAY = 'The query parameter "room" has a stray "%" or a character that has to be percent-encoded.'
DEEP = 'The query parameter "room" is percent-encoded twice.'


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (b"", None),
        (b"user=u&foo=r", None),
        (b"room=r", "r"),
        (b"user=u&room=r&x", "r"),
        (b"room", ""),
        (b"room=", ""),
        (b"room=a=b", "a=b"),
        (b"&&room=r&", "r"),
        (b"rooms=x&room=r&mushroom=y", "r"),
        (b"room=my%20room", "my room"),
        (b"room=my+room", "my room"),
        (b"room=a%2Bb", "a+b"),
        (b"room=a%26b%3Dc", "a&b=c"),
        (b"room=J%C3%BCrgen", "Jürgen"),
        (b"room=100%25", "100%"),
        (b"room=u%CC%88", "u\u0308"),  # not composed: servers compare code points
        (b"%72oom=r", "r"),
        (b"r%6Fom=r&x=%zz", "r"),
        (b"room=r&x=1;y=2", "r"),
        (b"room=r&%ff=%ff", "r"),
        (b"room={r}", "{r}"),
        (b"tags[]=a&room=r", "r"),
    ],
)
def test_parameter(query: bytes, value: str | None) -> None:
    assert read_parameter(query, b"room") == value


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (b"room=a&room=b", TWICE),
        (b"room=a&room=a", TWICE),
        (b"room=a&%72oom=b", TWICE),
        (b"Room=a", VARIANT),
        (b"room=a&ROOM=b", VARIANT),
        (b"ROOM=b&room=a", VARIANT),
        (b"room[]=a", VARIANT),
        (b"room=a&room[0]=b", VARIANT),
        (b"room%5B%5D=a", VARIANT),
        (b"room=a&%20room=b", VARIANT),
        (b"room=a&+room=b", VARIANT),
        (b"room=a&room%00x=b", VARIANT),
        (b"room=a&%2572oom=b", VARIANT),
        (b"room=a&%252572oom=b", VARIANT),
        (b"room=a&%EF%BD%92oom=b", VARIANT),
        (b"room=a&%52oom=b", VARIANT),
        (b"room=a;x", SEMICOLON),
        (b"x;room=a", SEMICOLON),
        (b"room=a&x;room=a", TWICE),
        (b"room=a%", STRAY),
        (b"room=%zz", STRAY),
        (b"room=a%4", STRAY),
        (b"room=\xc3\xbc", STRAY),
        (b"room=a b", STRAY),
        (b"room=a\x00", STRAY),
        (b"room=%ff", 'The query parameter "room" is not UTF-8.'),
        (b"room=%C0%AF", 'The query parameter "room" is not UTF-8.'),
        (b"room=%2561", DEEP),
        (b"room=a%252Bb", DEEP),
    ],
)
def test_ambiguous_parameter(query: bytes, detail: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        read_parameter(query, b"room")
    assert caught.value.detail == detail


@pytest.mark.parametrize("query", [b"access_token=a&access.token=b", b"access_token=a&access%20token=b"])
def test_php_reads_dots_and_spaces_as_underscores(query: bytes) -> None:
    with pytest.raises(AmbiguousRequestError):
        read_parameter(query, b"access_token")


def test_a_parameter_whose_name_has_brackets() -> None:
    assert read_parameter(b"q[room]=r", b"q[room]") == "r"
    with pytest.raises(AmbiguousRequestError):
        read_parameter(b"q[room]=r&q=s", b"q[room]")


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ([], None),
        ([(b"X-Rooms", b"r")], None),
        ([(b"X-ROOM", b" r\t")], "r"),
        ([(b"x-room", b"")], ""),
        ([(b"x-room", b"a%20b")], "a%20b"),
    ],
)
def test_header(headers: list[tuple[bytes, bytes]], value: str | None) -> None:
    assert read_header(headers, b"x-room") == value


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ([(b"x-room", b"a"), (b"X-Room", b"a")], 'The header "x-room" is given more than once, or with "_" for "-".'),
        ([(b"x-room", b"a"), (b"x_room", b"b")], 'The header "x-room" is given more than once, or with "_" for "-".'),
        ([(b"X_Room", b"b")], 'The header "x-room" is given more than once, or with "_" for "-".'),
        ([(b"x-room", b"\xc3\xbc")], 'The header "x-room" has characters other than printable ASCII.'),
        ([(b"x-room", b"a\x01")], 'The header "x-room" has characters other than printable ASCII.'),
    ],
)
def test_ambiguous_header(headers: list[tuple[bytes, bytes]], detail: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        read_header(headers, b"x-room")
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"", None),
        (b"a=b; broom=c; x", None),
        (b"room=r", "r"),
        (b"a=b;room=r ; c", "r"),
        (b" room = r", "r"),
        (b"room=", ""),
        (b"room=a=b", "a=b"),
        (b'room="r@example.org"', "r@example.org"),
        (b"room=my%20room", "my room"),
        (b'ga="x,y"; room=r; j={"k":1,"l":2}', "r"),
    ],
)
def test_cookie(line: bytes, value: str | None) -> None:
    assert read_cookie([(b"Accept", b"*"), (b"cookie", line)], b"room") == value


OTHERWISE = 'The cookie "room" has a "+" or a quote that servers read differently.'
COMMA = 'The cookie "room" depends on whether "," separates.'


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b"room=a; room=a", TWICE),
        (b"room=a; Room=b", VARIANT),
        (b"room=a; %72oom=b", VARIANT),
        (b"room=a, b", COMMA),
        (b"x=y, room=a", COMMA),
        (b'x="y; room=a"', OTHERWISE),
        (b'room="a; b"', OTHERWISE),
        (b'room="a\\"b"', OTHERWISE),
        (b"room=a+b", OTHERWISE),
        (b"room=a b", 'The cookie "room" has a stray "%" or a character that has to be percent-encoded.'),
        (b"room=%2561", 'The cookie "room" is percent-encoded twice.'),
    ],
)
def test_ambiguous_cookie(line: bytes, detail: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        read_cookie([(b"Cookie", line)], b"room")
    assert caught.value.detail == detail


def test_several_cookie_headers() -> None:
    assert read_cookie([], b"room") is None
    with pytest.raises(AmbiguousRequestError, match=r"^The request has several Cookie headers.$"):
        read_cookie([(b"Cookie", b"room=a"), (b"cookie", b"x=y")], b"room")


def token(payload: bytes) -> bytes:
    return b"aGVhZGVy." + urlsafe_b64encode(payload).rstrip(b"=") + b".c2ln"


R = token(b'{"video":{"room":"r","admin":true,"hidden":false},"n":8412345678,"e":"","f":1.5,"z":null}')


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (Source("query", "room"), "q"),
        (Source("header", "x-room"), "h"),
        (Source("cookie", "room"), "c"),
        (Source("jwt", "video.room"), "r"),
        (Source("jwt", "n"), "8412345678"),
        (Source("jwt", "z"), None),
        (Source("jwt", "video.none"), None),
    ],
)
def test_each_kind_of_source(source: Source, value: str | None) -> None:
    headers = [(b"X-Room", b"h"), (b"Cookie", b"room=c"), (b"Authorization", b"Bearer " + R)]
    assert value_reader(source)(b"room=q", headers) == value


@pytest.mark.parametrize("name", ["e", "f", "video", "video.admin"])
def test_a_claim_that_is_no_id(name: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        value_reader(Source("jwt", name))(b"token=" + R, [])
    assert caught.value.detail == f'The token\'s claim "{name}" is neither a text nor an integer.'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("video.room", "r"),
        ("video.admin", "true"),
        ("video.hidden", "false"),
        ("n", "8412345678"),
        ("e", ""),
        ("f", None),
        ("video", None),
    ],
)
def test_a_claim_as_host_mark(name: str, value: str | None) -> None:
    assert value_reader(Source("jwt", name), is_mark=True)(b"access_token=" + R, []) == value


def test_no_token_no_claim() -> None:
    assert value_reader(Source("jwt", "n"))(b"", []) is None


def test_different_tokens() -> None:
    query = b"access_token=" + R + b"&token=" + token(b'{"n":1}')
    with pytest.raises(AmbiguousRequestError, match=r"^The request carries different tokens.$"):
        value_reader(Source("jwt", "n"))(query, [])
