from base64 import urlsafe_b64encode

import pytest

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.bearer import MAX_TOKEN, bearer_token, read_claim, the_one_token

NO_JWT = "The token is not a signed JSON Web Token."
NO_JSON = "The token's payload is not base64url of JSON."


def token(payload: bytes) -> bytes:
    return b"aGVhZGVy." + urlsafe_b64encode(payload).rstrip(b"=") + b".c2ln"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([(b"Accept", b"*/*"), (b"x-authorised-a", b"a.b.c")], None),
        ([(b"Authorization", b"Bearer a.b.c")], b"a.b.c"),
        ([(b"AUTHORIZATION", b" bearer \t a.b.c ")], b"a.b.c"),
        ([(b"authorization", b"Bearer\ta.b.c")], b"a.b.c"),
        ([(b"authorization", b"Bearer")], b""),
        ([(b"authorization", b"")], None),
        ([(b"authorization", b"Basic dTpw")], None),
        ([(b"authorization", b'Digest username="a.b"')], None),
    ],
)
def test_bearer_token(headers: list[tuple[bytes, bytes]], found: bytes | None) -> None:
    assert bearer_token(headers) == found


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ((b"Bearer a.b.c", b"Bearer a.b.c"), "The request has several Authorization headers."),
        ((b"Basic dTpw", b"Bearer a.b.c"), "The request has several Authorization headers."),
        ((b"a.b.c",), 'The token in the Authorization header is not preceded by "Bearer".'),
        ((b"JWT a.b.c",), 'The token in the Authorization header is not preceded by "Bearer".'),
    ],
)
def test_ambiguous_authorization(values: tuple[bytes, ...], detail: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        bearer_token([(b"Authorization", value) for value in values])
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("in_header", "in_query", "found"),
    [
        (None, (None, None), None),
        (b"t", (None, None), b"t"),
        (None, ("t", None), b"t"),
        (None, (None, "t"), b"t"),
        (b"t", ("t", "t"), b"t"),
    ],
)
def test_the_one_token(in_header: bytes | None, in_query: tuple[str | None, ...], found: bytes | None) -> None:
    assert the_one_token(in_header, in_query) == found


@pytest.mark.parametrize(("in_header", "in_query"), [(b"t", ("u", None)), (None, ("t", "u")), (b"", (None, "t"))])
def test_different_tokens(in_header: bytes | None, in_query: tuple[str | None, ...]) -> None:
    with pytest.raises(AmbiguousRequestError, match=r"^The request carries different tokens.$"):
        the_one_token(in_header, in_query)


@pytest.mark.parametrize(
    ("payload", "path", "value"),
    [
        (b'{"sub":"alice"}', ["sub"], "alice"),
        (b'{"sub":7}', ["sub"], 7),
        (b'{"video":{"room":"r\xc3\xa4um"}}', ["video", "room"], "räum"),
        (b'{"video":{"room":"r"}}', ["video"], {"room": "r"}),
        (b'{"video":"r"}', ["video", "room"], None),
        (b'{"video":{}}', ["video", "room"], None),
        (b"{}", ["sub"], None),
    ],
)
def test_read_claim(payload: bytes, path: list[str], value: object) -> None:
    assert read_claim(token(payload), path) == value


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"", NO_JWT),
        (b"abc", NO_JWT),
        (b"a.b", NO_JWT),
        (b"a.b.", NO_JWT),
        (b"a.b.c.d.e", NO_JWT),
        (b"a.b=.c", NO_JWT),
        (b"a.b.c\n", NO_JWT),
        (b"a.+/.c", NO_JWT),
        (b"a.b.c", NO_JSON),  # no length base64 can have
        (token(b"\xff{}"), NO_JSON),
        (token(b"{"), NO_JSON),
        (token(b'{"a":NaN}'), NO_JSON),
        (token(b"[" * 3000), NO_JSON),
        (token(b"[]"), "The token's payload is not a JSON object."),
        (token(b'"sub"'), "The token's payload is not a JSON object."),
        (b"a." + b"b" * MAX_TOKEN + b".c", "The token is longer than 8192 bytes."),
    ],
)
def test_malformed_token(text: bytes, detail: str) -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        read_claim(text, ["sub"])
    assert caught.value.detail == detail
