"""A meeting server of one's own: the gate calls an address there to have one participant removed.

Address and body are templates with {meeting} and {participant}. In the address the ids are percent-encoded, in the body
they are written as inside a JSON text; `{"room": "{meeting}", "user": "{participant}"}` is one. Both ids have to occur:
a call that names the meeting alone might mean all of it. For the same reason there are POST and PUT only.

Every call carries `X-Joingate-Timestamp` (POSIX seconds) and, where there is a secret, `X-Joingate-Signature: sha256=`
and the hex HMAC-SHA256, by the secret, of timestamp, method, request target and body, joined by newlines. The receiver
computes the same, and turns away a timestamp that is minutes off: so nobody can make the call up, or repeat it later.

A 2xx means removed; 404 and 410 mean gone already. `present_url`, if there is one, answers 2xx for somebody who is in
the meeting and 404 or 410 for somebody who is not. Without it the answer to the removal has to be believed.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Final, Literal
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.asking import ask

Method = Literal["POST", "PUT"]

SIGNATURE: Final = "X-Joingate-Signature"
TIMESTAMP: Final = "X-Joingate-Timestamp"

_PLACEHOLDER: Final = re.compile(r"\{(meeting|participant)\}")
_GONE: Final = (404, 410)
_STEPS_OUT: Final = re.compile(r"[/\\%;\x00-\x20\x7f]|\A\.{1,2}\Z|\A\Z")
"""What some server takes for more than one segment of a path, or for less: then another resource would be meant."""


class WebhookAdmin:
    """See the module; an AdminClient."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        method: Method,
        body: str,
        secret: str | None,
        *,
        present_url: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Say whom to call.

        Args:
            session: whose connections are used.
            url: template of the address that removes one participant.
            method: of that call.
            body: template of its body, JSON; "" for none.
            secret: by which calls are signed; None for none.
            present_url: template of the address that says whether they are there; None for none.
            now: POSIX seconds.

        Raises:
            ValueError: the templates name no participant or no meeting, an id would be part of the host, or the body
                would be no JSON.
        """
        for name in ("{meeting}", "{participant}"):
            if name not in url + body:
                raise ValueError(f"neither url nor body has {name}: the call would not say whom to remove")
            if present_url is not None and name not in present_url:
                raise ValueError(f"present_url has no {name}: the call would not say whom to look for")
        for template in filter(None, (url, present_url)):
            if _PLACEHOLDER.search(_before_path(template)):
                raise ValueError("an id cannot be a part of the host")
        if body and not _is_json(_filled(body, {"meeting": "m", "participant": "p"}, _inside_json)):
            raise ValueError("body is not JSON once the ids stand in it; put each placeholder inside a text")
        self._session = session
        self._url = url
        self._method = method
        self._body = body
        self._secret = None if secret is None else secret.encode()
        self._present_url = present_url
        self._now = now

    async def remove(self, whom: Whom) -> None:
        """Call the address that removes a participant."""
        status = await self._call(self._method, self._url, self._body, whom)
        if not 200 <= status < 300 and status not in _GONE:
            raise ServerError(f"The webhook answered {status}.")

    async def is_present(self, whom: Whom) -> bool:
        """Call the address that says whether they are there; without one, a removal that succeeded counts as gone."""
        if self._present_url is None:
            return False
        status = await self._call("GET", self._present_url, "", whom)
        if not 200 <= status < 300 and status not in _GONE:
            raise ServerError(f"present_url answered {status}.")
        return status not in _GONE

    async def _call(self, method: str, url: str, body: str, whom: Whom) -> int:
        if whom.participant is None:
            raise ServerError("The join named no participant, so none can be named to the webhook.")
        ids = {"meeting": whom.meeting, "participant": whom.participant}
        path, question_mark, query = url.partition("?")
        address = f"{_filled(path, ids, _segment)}{question_mark}{_filled(query, ids, _percent_encoded)}"
        content = _filled(body, ids, _inside_json).encode()
        timestamp = str(int(self._now()))
        headers = {TIMESTAMP: timestamp}
        if content:
            headers["Content-Type"] = "application/json"
        if self._secret is not None:
            target = URL(address, encoded=True).raw_path_qs
            signed = b"\n".join((timestamp.encode(), method.encode(), target.encode(), content))
            headers[SIGNATURE] = f"sha256={hmac.digest(self._secret, signed, hashlib.sha256).hex()}"
        return (await ask(self._session, method, address, headers, content or None)).status


def _before_path(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + re.split(r"[/?#]", rest, maxsplit=1)[0]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _filled(template: str, ids: dict[str, str], encoded: Callable[[str], str]) -> str:
    """Put the ids in, in one pass: what stands in an id is never a placeholder."""
    return _PLACEHOLDER.sub(lambda found: encoded(ids[found[1]]), template)


def _segment(identifier: str) -> str:
    if _STEPS_OUT.search(identifier):
        raise ServerError("An id cannot be written into a path safely; name it in the body or the query.")
    return _percent_encoded(identifier)


def _percent_encoded(identifier: str) -> str:
    return quote(identifier, safe="")


def _inside_json(identifier: str) -> str:
    return orjson.dumps(identifier).decode()[1:-1]
