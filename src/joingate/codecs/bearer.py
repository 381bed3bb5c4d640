"""The claims of the token that a join request carries, read without verifying its signature.

That is enough for a gate. The upstream verifies: a token that was forged or altered is refused there, and brings
nobody in. A token that the upstream accepts names the meeting and the participant that the upstream will use, which
are the ones read here. A restriction goes by the address, so naming another meeting only means not getting into this
one. And the gate needs no key, so it can leak none.

Sources: RFC 7519 (JWT), RFC 7515 3.1 (compact form), RFC 6750 2.1 and 2.3 (header and `access_token`).
"""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Final

import orjson

from joingate.codecs.ambiguity import AmbiguousRequestError

MAX_TOKEN: Final = 8192
"""Bytes: as much as servers take in one header line."""

_COMPACT: Final = re.compile(rb"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


def bearer_token(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """Return the token of `Authorization: Bearer`, or None when no token is presented there.

    Raises:
        AmbiguousRequestError: there are several such headers, or it holds a token but not as Bearer.
    """
    values = [value for name, value in headers if len(name) == 13 and name.lower() == b"authorization"]
    if not values:
        return None
    if len(values) > 1:
        raise AmbiguousRequestError("The request has several Authorization headers.")
    scheme, *rest = values[0].split(None, 1) or [b""]
    if scheme.lower() == b"bearer":
        return rest[0].rstrip() if rest else b""
    if any(_COMPACT.fullmatch(word) for word in values[0].split()):
        raise AmbiguousRequestError('The token in the Authorization header is not preceded by "Bearer".')
    return None


def the_one_token(in_header: bytes | None, in_query: Sequence[str | None]) -> bytes | None:
    """Return the token of a request that may carry it in several places; None when it carries none.

    Raises:
        AmbiguousRequestError: two places hold different tokens.
    """
    present = {token.encode() for token in in_query if token is not None}
    if in_header is not None:
        present.add(in_header)
    if len(present) > 1:
        raise AmbiguousRequestError("The request carries different tokens.")
    return present.pop() if present else None


def read_claim(token: bytes, path: Sequence[str]) -> object:
    """Return the value of a claim, `path` being the names on the way to it; None when there is none.

    Raises:
        AmbiguousRequestError: the token is too long or no JSON Web Token.
    """
    if len(token) > MAX_TOKEN:
        raise AmbiguousRequestError(f"The token is longer than {MAX_TOKEN} bytes.")
    found = _COMPACT.fullmatch(token)
    if found is None:
        raise AmbiguousRequestError("The token is not a signed JSON Web Token.")
    payload = found[1]
    try:
        claims: object = orjson.loads(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (Base64Error, orjson.JSONDecodeError) as error:
        raise AmbiguousRequestError("The token's payload is not base64url of JSON.") from error
    if not isinstance(claims, dict):
        raise AmbiguousRequestError("The token's payload is not a JSON object.")
    value: object = claims
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
