"""BigBlueButton's API, as far as an ejection goes: who attends a meeting.

Its public API has no call that removes one participant, so there is none here. What ends their presence is that the
gate cuts every WebSocket of their session and refuses the session's next one: half a minute after the last is gone,
BigBlueButton takes them for having left, and its list of attendees says so.

Limits. A join that named no userID cannot be looked for: BigBlueButton makes one up. Several people under one userID
are present as long as any of them is.

Sources: docs.bigbluebutton.org, "API Reference" (checksum over call name, query and secret; getMeetingInfo);
bigbluebutton-web ApiController.groovy (getMeetingInfo) and ParamsProcessorUtil.java (checksum: SHA-1 to SHA-512, told
apart by length).
"""

import hashlib
import re
from typing import Final
from urllib.parse import urlencode
from xml.parsers import expat

import aiohttp

from joingate.servers.admin_client import ServerError, Whom
from joingate.servers.asking import ask

MAX_DEPTH: Final = 16
"""Elements inside each other; an answer of BigBlueButton has six."""

_CALL: Final = "getMeetingInfo"
_KEY: Final = re.compile(r"[A-Za-z]{1,40}")
_RETURN_CODE: Final = ("response", "returncode")
_MESSAGE_KEY: Final = ("response", "messageKey")
_USER_ID: Final = ("response", "attendees", "attendee", "userID")


class BigBlueButtonAdmin:
    """See the module; an AdminClient."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        """Say where the server is.

        Args:
            session: whose connections are used.
            url: as `bbb-conf --secret` prints it, "https://bbb.example.org/bigbluebutton/".
            secret: likewise.
        """
        self._session = session
        self._url = f"{url.rstrip('/')}/api/{_CALL}?"
        self._secret = secret

    async def remove(self, whom: Whom) -> None:
        """Do nothing: there is no call for it. `is_present` says when the cut has had its effect."""

    async def is_present(self, whom: Whom) -> bool:
        """Whether the meeting lists the participant among its attendees."""
        if whom.participant is None:
            raise ServerError("The join named no userID, so nobody can be looked for.")
        query = urlencode({"meetingID": whom.meeting})
        checksum = hashlib.sha256(f"{_CALL}{query}{self._secret}".encode()).hexdigest()
        answer = await ask(self._session, "GET", f"{self._url}{query}&checksum={checksum}")
        if answer.status != 200:
            raise ServerError(f"BigBlueButton answered {_CALL} with {answer.status}.")
        texts = texts_of(answer.body, {_RETURN_CODE, _MESSAGE_KEY, _USER_ID})
        if texts[_RETURN_CODE] == ["SUCCESS"]:
            return whom.participant in texts[_USER_ID]
        if texts[_MESSAGE_KEY] == ["notFound"]:  # no such meeting
            return False
        key = next((key for key in texts[_MESSAGE_KEY] if _KEY.fullmatch(key)), "no reason given")
        raise ServerError(f"BigBlueButton refused {_CALL} ({key}).")


Path = tuple[str, ...]


def texts_of(document: bytes, paths: set[Path]) -> dict[Path, list[str]]:
    """Return the texts of the elements at some paths of an XML document, in its order.

    Raises:
        ServerError: it is no well-formed XML in UTF-8, its elements are deeper than MAX_DEPTH inside each other, or it
            has a document type: no entity is ever declared, so none can be expanded or fetched.
    """
    found: dict[Path, list[str]] = {path: [] for path in paths}
    open_elements: list[str] = []
    pieces: list[str] = []

    def begin(name: str, _: dict[str, str]) -> None:
        open_elements.append(name)
        pieces.clear()
        if len(open_elements) > MAX_DEPTH:
            raise ServerError("The meeting server's XML is too deep.")

    def finish(_: str) -> None:
        path = tuple(open_elements)
        if path in found:
            found[path].append("".join(pieces))
        open_elements.pop()
        pieces.clear()

    def refuse(*_: object) -> None:
        raise ServerError("The meeting server's XML has a document type.")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = pieces.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        raise ServerError("The meeting server's answer is no XML.") from None
    return found
