"""One call of a meeting server's interface: bounded in time and size, and every way it can fail is a ServerError.

No redirect is followed: a secret goes to the address that the operator has written, and nowhere else. The text of a
ServerError never has the address called, since ids and signatures may stand in it.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from joingate.servers.admin_client import ServerError

SECONDS: Final = 5.0
"""For the whole call."""

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes: a list of twenty thousand participants."""

_CHUNK: Final = 65_536


class Answer(NamedTuple):
    """What the server has answered."""

    status: int
    body: bytes


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    seconds: float = SECONDS,
    max_answer: int = MAX_ANSWER,
) -> Answer:
    """Make one call.

    Args:
        session: whose connections are used.
        method: of HTTP.
        url: sent exactly as written, percent-encoding and all.
        headers: besides the usual ones.
        body: bytes, or None for none.
        seconds: within which all of the answer has to be there.
        max_answer: bytes of its body.

    Raises:
        ServerError: there is no whole answer; any status is one.
    """
    try:
        async with (
            asyncio.timeout(seconds),
            session.request(
                method,
                URL(url, encoded=True),
                headers={"Accept-Encoding": "identity", **(headers or {})},
                data=body,
                allow_redirects=False,
            ) as response,
        ):
            return Answer(response.status, await _read(response, max_answer))
    except TimeoutError:
        raise ServerError(f"The meeting server did not answer within {seconds:g} seconds.") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # its text, and its cause, may hold the address: the kind says enough
        raise ServerError(f"The meeting server could not be asked ({type(error).__name__}).") from None


async def _read(response: aiohttp.ClientResponse, max_answer: int) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        answer += chunk
        if len(answer) > max_answer:
            raise ServerError(f"The meeting server's answer is longer than {max_answer} bytes.")
    return bytes(answer)
