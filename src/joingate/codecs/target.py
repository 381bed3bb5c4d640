"""Every plausible reading of a request's path, whatever software reads it upstream.

Servers differ in whether they decode once or twice, take "%2F" or a backslash for a separator, drop ";parameters",
merge "//", resolve dot segments, and in which order. Instead of guessing the order, each such step is applied to each
reading found so far until nothing new appears: what any server that works by these steps, in any order, would see is
then among the readings. A step never makes a path longer, and both the number of readings and their total length are
bounded.

A reading is text whose characters are bytes (Latin-1), apart from one marker for "/" as a character of a segment.

Sources: RFC 3986 2.1, 3.3 and 5.2.4; the WHATWG URL standard for backslashes, removed tabs and "//authority"; the
servlet containers for ";parameters"; RFC 3629 3 for overlong forms.
"""

import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from joingate.codecs.ambiguity import AmbiguousRequestError

Step = Callable[[str], str]
"""What some servers do to a path."""

MAX_READINGS: Final = 128
MAX_CHARACTERS: Final = 32_768
"""Of all readings together: four of the longest path a request line has room for (8 KB), which bounds the work."""

MAX_DECODINGS: Final = 4
"""Two servers in a row that each decode twice. More is no spelling that any client produces."""

_SLASH: Final = "\u0100"
"""Stands for "/" as a character; outside of Latin-1, so no step takes it for anything else."""

_TRIMMED: Final = "".join(map(chr, range(0x21))) + "\x7f"  # what Java's trim() takes off, and DEL
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_AS_SEPARATOR: Final = {a + b: chr(int(a + b, 16)) for a in string.hexdigits for b in string.hexdigits}
_AS_CHARACTER: Final = {**_AS_SEPARATOR, "2F": _SLASH, "2f": _SLASH}
_IIS_ESCAPE: Final = re.compile(r"%u([0-9A-Fa-f]{4})")
_OVERLONG: Final = re.compile(r"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}")
_WIDE_SEPARATOR: Final = re.compile("\xef\xbc\x8f|\xef\xbc\xbc")  # U+FF0F and U+FF3C in UTF-8
_WIDE_PERCENT: Final = re.compile("\xef\xbc\x85(?=u?[0-9A-Fa-f]{2})")  # U+FF05
_WIDE_DOT: Final = "\xef\xbc\x8e"  # U+FF0E
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _decode_with_separators(text: str) -> str:
    return _ESCAPE.sub(lambda found: _AS_SEPARATOR[found[1]], text) if "%" in text else text


def _decode_with_characters(text: str) -> str:
    return _ESCAPE.sub(lambda found: _AS_CHARACTER[found[1]], text) if "%" in text else text


def _decode_iis(text: str) -> str:
    """Decode `%uXXXX`, which is in no standard, but in IIS and in JavaScript's unescape()."""
    if "%u" not in text:
        return text
    return _IIS_ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode(errors="replace").decode("latin-1"), text)


def _shorten_overlong(text: str) -> str:
    return text if text.isascii() else _OVERLONG.sub(lambda found: _shortest(found[0]), text)


def _shortest(sequence: str) -> str:
    """Return the ASCII character that an overlong UTF-8 sequence stands for, or the sequence when it is none."""
    code = 0
    for octet in sequence[1:]:
        code = code << 6 | ord(octet) & 0x3F
    code |= (ord(sequence[0]) & 0x1F) << 6 if len(sequence) == 2 else 0  # longer ones lead with no bits of their own
    return chr(code) if code < 0x80 else sequence


def _narrow(text: str) -> str:
    """Take fullwidth slashes, dots and percent signs for what they look like, as best-fit conversions do.

    Only where they change the path's structure: ids in fullwidth characters are ids.
    """
    if text.isascii():
        return text
    text = _WIDE_PERCENT.sub("%", _WIDE_SEPARATOR.sub("/", text))
    if _WIDE_DOT not in text:
        return text
    return "/".join(_narrow_dots(segment) for segment in text.split("/"))


def _narrow_dots(segment: str) -> str:
    narrow = segment.replace(_WIDE_DOT, ".")
    return narrow if narrow in {".", ".."} else segment


def _take_backslashes(text: str) -> str:
    return text.replace("\\", "/")


def _drop_parameters(text: str) -> str:
    return re.sub(r";[^/]*", "", text) if ";" in text else text


def _cut_at_semicolon(text: str) -> str:
    """As software that takes a path's first ";" for the start of its parameters (Shiro before CVE-2020-1957)."""
    return text.partition(";")[0]


def _cut_at_control(text: str) -> str:
    """As C strings end at NUL, and lines at their end."""
    return re.split(r"[\x00\r\n]", text, maxsplit=1)[0]


def _trim(text: str) -> str:
    return "/".join([segment.strip(_TRIMMED) for segment in text.split("/")])


def _trim_white(text: str) -> str:
    """As languages whose trimming leaves NUL and the like where they are: another id than the one that _trim sees."""
    if _CONTROL.search(text) is None:
        return text  # _trim has the same
    return "/".join([segment.strip(string.whitespace) for segment in text.split("/")])


def _merge_slashes(text: str) -> str:
    return re.sub(r"//+", "/", text) if "//" in text else text


def _drop_authority(text: str) -> str:
    """As a URL parser that is handed a path which starts with "//"."""
    return re.sub(r"//+[^/]*", "", text, count=1) if text.startswith("//") else text


def _resolve_dots(text: str) -> str:
    """RFC 3986 5.2.4: an empty segment is a segment, and ".." at the root stays there."""
    if "/." not in text:
        return text
    kept: list[str] = []
    segments = text.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


_REWRITING: Final = (_decode_with_separators, _decode_iis, _shorten_overlong, _narrow)
_RESTRUCTURING: Final[tuple[Step, ...]] = (
    _take_backslashes,
    _drop_parameters,
    _cut_at_semicolon,
    _cut_at_control,
    _trim,
    _trim_white,
    _merge_slashes,
    _drop_authority,
    _resolve_dots,
)
_STEPS: Final[tuple[Step, ...]] = (*_REWRITING, _decode_with_characters, *_RESTRUCTURING)


def settled(path: bytes) -> str:
    """Decode a path until nothing in it is encoded: every literal segment of every reading occurs in the result.

    Nothing but characters that no literal contains is dropped on the way, so a path without a route's literals
    cannot be a join by that route, and needs no further look. ASCII only: of other text nothing follows.

    Raises:
        AmbiguousRequestError: it is encoded more than MAX_DECODINGS times over.
    """
    text = _CONTROL.sub("", path.decode("latin-1"))
    for _ in range(MAX_DECODINGS + 1):
        before = text
        for step in _REWRITING:
            text = step(text)
        if text == before:
            return text
    raise AmbiguousRequestError(f"The path is percent-encoded more than {MAX_DECODINGS} times over.")


def readings(path: bytes) -> list[str]:
    """Return every reading of the path of a request target, each decoded at least once.

    A server that decodes nothing is no reason to read an id undecoded: it takes "%61" for another id than "a", so
    whoever means its "a" has to write that.

    Raises:
        AmbiguousRequestError: there are more than MAX_READINGS, or they are longer than MAX_CHARACTERS together.
    """
    text = path.decode("latin-1")
    rooted = text if text.startswith("/") else "/" + text
    # Before anything else: URL parsers remove control characters, and form decoders take "+" for a space.
    bare = _CONTROL.sub("", rooted)
    undecoded = (rooted, bare, rooted.replace("+", " "), bare.replace("+", " "))
    if "%" not in text:
        return _all_readings(undecoded, _STEPS)
    restructured = _all_readings(undecoded, _RESTRUCTURING)
    decoders = (_decode_with_separators, _decode_with_characters)
    return _all_readings((decode(reading) for decode in decoders for reading in restructured), _STEPS)


def readings_cut_short(whole: Iterable[str]) -> list[str]:
    """Return the readings in which a decoded "?" or "#" ends the path, so that the rest is not what the query is.

    That is what the next server sees behind a proxy which forwards the path it has decoded.

    Raises:
        AmbiguousRequestError: as for `readings`.
    """
    cut = [text.partition(mark)[0] for text in whole for mark in "?#" if mark in text]
    return _all_readings(cut, _STEPS)


def _all_readings(seeds: Iterable[str], steps: Sequence[Step]) -> list[str]:
    found = list(dict.fromkeys(seeds))
    seen = set(found)
    characters = 0
    for text in found:  # which grows while it is walked
        characters += len(text)
        if len(found) > MAX_READINGS or characters > MAX_CHARACTERS:
            raise AmbiguousRequestError("The path can be read in too many ways; write it without needless encoding.")
        for step in steps:
            reading = step(text)
            if reading not in seen:
                seen.add(reading)
                found.append(reading)
    return found


def segments_of(reading: str) -> list[bytes]:
    """Split a reading into its segments; an empty end (a trailing slash) is none."""
    segments = [segment.replace(_SLASH, "/").encode("latin-1") for segment in reading.split("/")[1:]]
    while segments and not segments[-1]:
        segments.pop()
    return segments
