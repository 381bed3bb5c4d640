"""The values a join needs from its query, headers, cookies or token: exactly one reading of each, or none at all.

A name that stands there twice, or once exactly and once in a spelling that some server takes for the same, is
ambiguous. So is a value that does not decode, or that decodes further. "+" in a query is a space, as in every form
(WHATWG URL 5.1): a server which takes it literally has to be sent ids that contain "+" as "%2B".

Ids are taken as received: Unicode is not normalised, since meeting servers compare code points.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.bearer import bearer_token, read_claim, the_one_token
from joingate.codecs.join_route import Source
from joingate.codecs.target import MAX_DECODINGS

Headers = Sequence[tuple[bytes, bytes]]
Reader = Callable[[bytes, Headers], str | None]
"""Takes the query (without "?") and the headers as received; returns the value, or None when it is absent."""

TOKEN_PARAMETERS: Final = ("access_token", "token")

_PLAIN: Final = bytes(code for code in range(0x21, 0x7F) if code not in b"%+;#[]")
"""Printable ASCII but for % + ; # [ ]: each byte of a query is the character it looks like, and only "&" separates."""

_ALIKE: Final = bytes.maketrans(string.ascii_uppercase.encode() + b". ", string.ascii_lowercase.encode() + b"__")

_SPELLED: Final = re.compile(rb"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*+").fullmatch
"""A value as RFC 3986 lets it be written, or as browsers do; no raw control character, space or byte above ASCII."""

_QUOTED: Final = re.compile(rb'"([^"\\]*)"').fullmatch


def value_reader(source: Source, *, is_mark: bool = False) -> Reader:
    """Return what reads the value of a source other than a path.

    Args:
        source: of kind "query", "header", "cookie" or "jwt".
        is_mark: the value is compared with a host mark: a claim may then be true or false, and one of another type
            is no match instead of a fault.
    """
    name = source.name.encode()
    if source.kind == "query":
        return lambda query, _: read_parameter(query, name)
    if source.kind == "header":
        return lambda _, headers: read_header(headers, name)
    if source.kind == "cookie":
        return lambda _, headers: read_cookie(headers, name)
    path = source.name.split(".")
    as_text = _mark_text if is_mark else _id_text
    return lambda query, headers: as_text(_claim(query, headers, path), source.name)


def read_parameter(query: bytes, name: bytes) -> str | None:
    """Return a query parameter, decoded once.

    Raises:
        AmbiguousRequestError: it stands there twice or in a variant spelling, it does not decode or decodes further,
            or ";" as a separator would change it.
    """
    if not query:
        return None
    if not query.translate(None, _PLAIN) and name.find(b"[") < 0:
        return _plain_single(query, name)
    text = _decoded_single(query.split(b"&"), name)
    if b";" in query and _decoded_single(re.split(rb"[&;]", query), name) != text:
        raise AmbiguousRequestError(f'The query parameter "{name.decode()}" depends on whether ";" separates.')
    return text


def _plain_single(query: bytes, name: bytes) -> str | None:
    """As `_decoded_single`, of a query in which nothing decodes: keys that resemble each other are equally long."""
    value = None
    for piece in query.split(b"&"):
        key, _, right = piece.partition(b"=")
        if key == name:
            if value is not None:
                raise _twice(name)
            value = right
        elif len(key) == len(name) and key.translate(_ALIKE) == name.translate(_ALIKE):
            raise _variant(name)
    return None if value is None else value.decode("ascii")


def _decoded_single(pieces: Iterable[bytes], name: bytes) -> str | None:
    value = _single(pieces, name, _decode_key)
    if value is None:
        return None
    return decode_value(value.replace(b"+", b"%20"), f'The query parameter "{name.decode()}"')


def _decode_key(key: bytes) -> bytes:
    return unquote_to_bytes(key.replace(b"+", b" ")) if key.translate(None, _PLAIN) else key


def _twice(name: bytes) -> AmbiguousRequestError:
    return AmbiguousRequestError(f'"{name.decode()}" is given more than once.')


def _variant(name: bytes) -> AmbiguousRequestError:
    return AmbiguousRequestError(f'"{name.decode()}" is spelled as some servers take it and others not.')


def _single(pieces: Iterable[bytes], name: bytes, decode_key: Callable[[bytes], bytes]) -> bytes | None:
    """Return the value of the only pair `name=value`; None when there is none, in no spelling."""
    value = None
    for piece in pieces:
        key, _, right = piece.partition(b"=")
        if key != name and decode_key(key) != name:
            if _resembling(key) == _resembling(name):
                raise _variant(name)
            continue
        if value is not None:
            raise _twice(name)
        value = right
    return value


def _resembling(key: bytes) -> bytes:
    """Return what all spellings of a key have in common that some server takes for the same.

    Case (ASP.NET), "[...]" for arrays (PHP, Rack, qs), " " and "." for "_" and nothing after NUL (PHP), surrounding
    space, further percent-encoding, and Unicode compatibility.
    """
    if not key.translate(None, _PLAIN):
        return key.translate(_ALIKE)
    for _ in range(MAX_DECODINGS):
        key = unquote_to_bytes(key)
    text = unicodedata.normalize("NFKC", key.replace(b"+", b" ").decode(errors="ignore")).casefold()
    return re.split(r"[\0\[]", text, maxsplit=1)[0].strip().encode().translate(_ALIKE)


def read_header(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header field.

    Args:
        headers: as received.
        name: in lower case.

    Raises:
        AmbiguousRequestError: it stands there twice, "_" stands for "-" in it (CGI and WSGI take both for the same),
            or the value is not printable ASCII.
    """
    dashed = name.replace(b"_", b"-")
    found = [
        (key, value) for key, value in headers if len(key) == len(name) and key.lower().replace(b"_", b"-") == dashed
    ]
    if not found:
        return None
    if len(found) > 1 or found[0][0].lower() != name:
        raise AmbiguousRequestError(f'The header "{name.decode()}" is given more than once, or with "_" for "-".')
    value = found[0][1].strip(b" \t")
    if not (value.isascii() and value.decode("ascii").isprintable()):
        raise AmbiguousRequestError(f'The header "{name.decode()}" has characters other than printable ASCII.')
    return value.decode("ascii")


def read_cookie(headers: Headers, name: bytes) -> str | None:
    """Return the value of a cookie, without the quotes around it, decoded once.

    Raises:
        AmbiguousRequestError: it stands there twice or in a variant spelling, there are several Cookie headers, or
            servers read its value differently: "+", quotes inside, a comma as a separator, double encoding.
    """
    lines = [value for key, value in headers if len(key) == 6 and key.lower() == b"cookie"]
    if not lines:
        return None
    if len(lines) > 1:
        raise AmbiguousRequestError("The request has several Cookie headers.")
    value = _single_cookie(lines[0].split(b";"), name)
    if b"," in lines[0] and _single_cookie(re.split(rb"[;,]", lines[0]), name) != value:
        raise AmbiguousRequestError(f'The cookie "{name.decode()}" depends on whether "," separates.')
    if value is None:
        return None
    quoted = _QUOTED(value)
    bare = value if quoted is None else quoted[1]
    if b"+" in bare or b'"' in bare:
        raise AmbiguousRequestError(f'The cookie "{name.decode()}" has a "+" or a quote that servers read differently.')
    return decode_value(bare, f'The cookie "{name.decode()}"')


def _single_cookie(pieces: Iterable[bytes], name: bytes) -> bytes | None:
    pairs = [piece.partition(b"=") for piece in pieces]
    value = _single([b"=".join((key.strip(), right)) for key, _, right in pairs], name, bytes)
    return None if value is None else value.strip()


def decode_value(value: bytes, what: str) -> str:
    """Percent-decode a value that decodes in one way only.

    Raises:
        AmbiguousRequestError: it has a stray "%" or a raw character that must be encoded, it is no UTF-8, or it
            could be decoded once more.
    """
    if _SPELLED(value) is None:
        raise AmbiguousRequestError(f'{what} has a stray "%" or a character that has to be percent-encoded.')
    try:
        text = unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise AmbiguousRequestError(f"{what} is not UTF-8.") from error
    if "%" in text and unquote(text, errors="replace") != text:
        raise AmbiguousRequestError(f"{what} is percent-encoded twice.")
    return text


def _claim(query: bytes, headers: Headers, path: Sequence[str]) -> object:
    in_query = [read_parameter(query, name.encode()) for name in TOKEN_PARAMETERS]
    token = the_one_token(bearer_token(headers), in_query)
    return None if token is None else read_claim(token, path)


def _id_text(claim: object, name: str) -> str | None:
    if claim is None:
        return None
    if isinstance(claim, bool) or not isinstance(claim, (str, int)) or claim == "":
        raise AmbiguousRequestError(f'The token\'s claim "{name}" is neither a text nor an integer.')
    return str(claim)


def _mark_text(claim: object, _: str) -> str | None:
    if isinstance(claim, bool):
        return "true" if claim else "false"
    return str(claim) if isinstance(claim, (str, int)) else None
