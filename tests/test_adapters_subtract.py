"""Adapters can only subtract: no meeting server's adapter has a word that ends a meeting, or one that nobody has read.

Two nets. Verbs that end, close or lock something are looked for in every name and every text that could be sent. And
each adapter's own list below says all that it may send, so a new text is red until somebody has put it there. What is
listed is what stands in the file: an adapter writes out what it sends, and computes none of it.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.vocabulary import PACKAGE, account_words, meeting_words

ROOT = PACKAGE.parent.parent
LUA = ROOT / "deploy" / "prosody"

_VERBS = frozenset(
    "ban banned block close conclude deactivate delete deny destroy disable dismiss end erase expire kill lock mute "
    "outcast purge quit revoke shutdown stop suspend terminate unlock wipe".split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_PATTERNS = frozenset(("re.compile", "re.split"))

NO_MEETING_INTERFACE = frozenset(("__init__.py", "admin_client.py", "asking.py", "removals.py"))
"""Files of servers/ that speak to no particular server."""

SENT: dict[str, frozenset[str]] = {
    "livekit.py": frozenset(
        # calls of the RoomService, and what they say
        "/twirp/livekit.RoomService/ RemoveParticipant ListParticipants POST Authorization Bearer Content-Type "
        "application/json room identity participants permission can_subscribe canSubscribe code not_found "
        # the token
        'iss nbf exp video roomAdmin {"alg":"HS256","typ":"JWT"}'.split()
    ),
    "bigbluebutton.py": frozenset(
        "/api/ getMeetingInfo GET meetingID &checksum= "
        "response returncode messageKey attendees attendee userID SUCCESS notFound utf-8".split()
    ),
    "webhook.py": frozenset(
        # the operator writes what is sent; these are its frame
        "POST PUT GET X-Joingate-Signature X-Joingate-Timestamp Content-Type application/json sha256= "
        "meeting participant {meeting} {participant}".split()
    ),
    "janus.py": frozenset(
        # detach_handle takes one handle out, and handle_info looks at one: whether its plugin is one with rooms
        "POST janus detach_handle handle_info transaction admin_secret joingate plugin_only success error code info "
        "plugin_specific plugin room janus.plugin.videoroom janus.plugin.audiobridge "
        "Content-Type application/json".split()
    ),
    "prosody.py": frozenset(
        # of deploy/prosody/mod_joingate.lua
        "POST GET remove occupants room session nick error not-found Authorization Bearer".split()
    ),
}
"""By file of servers/: each text that may stand in it, and could be sent."""

LUA_CALLS = frozenset(
    # a room's occupants, and out with one; Prosody's own plumbing; functions of its libraries
    "each_occupant each_session get_occupant_by_real_jid get_occupant_by_nick set_role get_room_from_jid match "
    "lower set_global get_option_string log depends provides add_host hook core_post_stanza equals sha256 encode "
    "array".split()
)
"""The methods that the Prosody module may call."""

LUA_WORDS = frozenset(("destroy_session", "end_replaced", "pre-session-close"))
"""The words with a verb that it may have: of one connection that has been replaced, never of a room."""

_LUA_CALL = re.compile(r"[:.]\s*([A-Za-z_]\w*)\s*(?=[({\"'])")
_LUA_REQUIRE = re.compile(r"require\s*\(?\s*[\"'][\w.]+[\"']\s*\)?")
_LUA_WORD = re.compile(r"[\w-]+")


def adapters() -> dict[str, str]:
    """Return the files of servers/ that speak to a meeting server."""
    files = sorted((PACKAGE / "servers").glob("*.py"))
    return {path.name: path.read_text("utf-8") for path in files if path.name not in NO_MEETING_INTERFACE}


def dialects() -> dict[str, str]:
    """Return the files of codecs/ that make up dialects: dialect.py, what uses it, and what those use by prefix."""
    files = {path.name: path.read_text("utf-8") for path in sorted((PACKAGE / "codecs").glob("*.py"))}
    using = {name for name, source in files.items() if "joingate.codecs.dialect " in source}
    prefixes = {name.removesuffix(".py").partition("_")[0] for name in using} - {"dialect"}
    return {name: source for name, source in files.items() if name.removesuffix(".py").partition("_")[0] in prefixes}


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield each text that could be sent, with its line.

    Those are all but docstrings, patterns, what is raised, punctuation, and sentences: no blank, or a mark of JSON, XML
    or a query.
    """
    tree = ast.parse(source)
    unsent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and ast.unparse(node.func) in _PATTERNS):
            unsent |= {id(inside) for inside in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in unsent:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if re.search("[A-Za-z]{2}", text) and (len(text.split()) == 1 or re.search('[{}"<>=]', text)):
                yield node.lineno, text.strip()


def names(source: str) -> Iterator[tuple[int, str]]:
    """Yield each name that is defined, imported or passed by keyword, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def verbs_in(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)} & _VERBS


def ending_words(sources: Mapping[str, str]) -> list[str]:
    """Return `file:line: text` for each name or text that has a verb which ends, closes or locks."""
    return [
        f"{file}:{line}: {text}"
        for file, source in sources.items()
        for line, text in sorted({*names(source), *texts(source)})
        if verbs_in(text)
    ]


def unread_texts(sources: Mapping[str, str]) -> list[str]:
    """Return `file:line: text` for each text that is on no list."""
    return [
        f"{file}:{line}: {text}"
        for file, source in sources.items()
        for line, text in texts(source)
        if text not in SENT.get(file, frozenset())
    ]


def lua_words(sources: Mapping[str, str]) -> list[str]:
    """Return `file:line: word` for each method call that is on no list, and each word with a verb but Lua's `end`."""
    found = []
    for file, source in sources.items():
        for line, text in enumerate(source.splitlines(), 1):
            code = _LUA_REQUIRE.sub("", text.partition("--")[0])
            calls = {f"{call}()" for call in _LUA_CALL.findall(code) if call not in LUA_CALLS}
            words = {word for word in _LUA_WORD.findall(code) if verbs_in(word) and word not in LUA_WORDS | {"end"}}
            found += [f"{file}:{line}: {word}" for word in sorted(calls | words)]
    return found


def test_there_are_adapters() -> None:
    """Were the folder empty or elsewhere, every other test here would pass."""
    assert {"livekit.py", "bigbluebutton.py", "webhook.py"} <= adapters().keys()
    assert {"livekit.py", "bigbluebutton.py", "galene.py"} <= dialects().keys()


def test_no_adapter_has_a_word_that_ends_a_meeting() -> None:
    assert ending_words(adapters()) == []
    servers = {f"servers/{file}": source for file, source in adapters().items()}
    assert meeting_words(servers) == []
    assert account_words(servers) == []


def test_every_text_of_an_adapter_has_been_read() -> None:
    assert unread_texts(adapters()) == []


@pytest.mark.parametrize("file", sorted(adapters()))
def test_no_list_has_more_than_its_adapter(file: str) -> None:
    """A list with something to spare would let it in later, unread."""
    assert SENT.get(file, frozenset()) == {text for _, text in texts(adapters()[file])}


def test_no_dialect_has_a_word_that_ends_a_meeting() -> None:
    codecs = {f"codecs/{file}": source for file, source in dialects().items()}
    assert meeting_words(codecs) == []
    assert account_words(codecs) == []


def test_the_prosody_module_reaches_for_no_more_than_occupants() -> None:
    assert lua_words({path.name: path.read_text("utf-8") for path in sorted(LUA.glob("*.lua"))}) == []


# Each net catches what it is for


@pytest.mark.parametrize(
    "planted",
    [
        'await self._call("DeleteRoom", whom.meeting)',
        'await self._call("/bigbluebutton/api/end")',
        'await self._call("destroy")',
        'request = {"janus": "destroy_session"}',
        'request = {"request": "lock"}',
        'request = {b"kind": b"lock"}',
        """request = '{"janus": "message", "body": {"request": "destroy"}}'""",
        "request = b\"<destroy xmlns='muc#owner'/>\"",
        'path = f"/rooms/{room}/close"',
        "async def end_meeting(self): ...",
        "class RoomDestroyer:\n    def destroyAll(self): ...",
        "def remove(self, *, ban): ...",
        "terminate = True",
    ],
)
def test_a_planted_verb_is_found(planted: str) -> None:
    source = f"{adapters()['livekit.py']}\n\nasync def planted(self, whom, room):\n    " + planted.replace(
        "\n", "\n    "
    )
    assert len(ending_words({"livekit.py": source})) == 1


@pytest.mark.parametrize(
    "planted",
    ['"MutePublishedTrack"', '"UpdateParticipant"', '"kick-all"', 'b"/twirp/livekit.Egress/"', 'f"{room}/out"'],
)
def test_a_planted_call_is_found(planted: str) -> None:
    source = f"{adapters()['livekit.py']}\n\nroom = 1\nPLANTED = {planted}\n"
    assert len(unread_texts({"livekit.py": source})) == 1


def test_a_planted_adapter_is_found() -> None:
    assert unread_texts({"another.py": 'CALL = "remove"\n'}) == ["another.py:1: remove"]


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("room:destroy(nil, 'region');", ["destroy", "destroy()"]),
        ("room:set_affiliation(true, jid, 'outcast');", ["outcast", "set_affiliation()"]),
        ("room:save();", ["save()"]),
        ("muc.delete_room(room);", ["delete_room", "delete_room()"]),
        ("module:fire_event('end-conference');", ["end-conference", "fire_event()"]),
        ('local kill = require "mod_muc".destroy_room', ["destroy_room", "kill"]),
        ("room._data.locked = lock", ["lock"]),
        ("end -- room:destroy()", []),
    ],
)
def test_a_planted_line_of_lua_is_found(planted: str, found: list[str]) -> None:
    assert lua_words({"m.lua": planted}) == [f"m.lua:1: {word}" for word in found]


def test_docstrings_and_sentences_speak_freely() -> None:
    source = '"""There is no `end` here."""\n\nTEXT = "The meeting is not to end."\n'
    assert ending_words({"a.py": source}) == unread_texts({"a.py": source}) == []


def test_the_root_is_the_projects() -> None:
    assert (ROOT / "pyproject.toml").is_file()
    assert Path(__file__).is_relative_to(ROOT)
