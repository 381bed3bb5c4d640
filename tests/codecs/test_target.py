import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from joingate.codecs import target
from joingate.codecs.ambiguity import AmbiguousRequestError
from joingate.codecs.target import (
    MAX_CHARACTERS,
    MAX_DECODINGS,
    MAX_READINGS,
    readings,
    readings_cut_short,
    segments_of,
    settled,
)

TOO_MANY = "The path can be read in too many ways; write it without needless encoding."


def read(path: bytes) -> set[bytes]:
    return {b"/".join([b"", *segments_of(reading)]) for reading in readings(path)}


@pytest.mark.parametrize(
    ("path", "read_as"),
    [
        (b"/a/b", b"/a/b"),
        (b"/a/b/", b"/a/b"),
        (b"/a//b", b"/a/b"),
        (b"/a//b", b"/a//b"),
        (b"//a/b", b"/a/b"),
        (b"//host/a/b", b"/a/b"),
        (b"///host/a/b", b"/a/b"),
        (b"/\\host/a/b", b"/a/b"),
        (b"//host", b""),
        (b"/a/./b", b"/a/b"),
        (b"/a/x/../b", b"/a/b"),
        (b"/a/x//../b", b"/a/x/b"),  # RFC 3986: ".." takes the empty segment
        (b"/a/x//../b", b"/a/b"),  # once "//" is merged
        (b"/../a/b", b"/a/b"),
        (b"/a/b/.", b"/a/b"),
        (b"/a/b/x/..", b"/a/b"),
        (b"/a/%2e%2E/b", b"/b"),
        (b"/%61/b", b"/a/b"),
        (b"/%2561/b", b"/a/b"),
        (b"/%25%36%31/b", b"/a/b"),
        (b"/%252561/b", b"/a/b"),
        (b"/a%2Fb", b"/a/b"),
        (b"/a%5cb", b"/a/b"),
        (b"/a\\b", b"/a/b"),
        (b"/a\\b", b"/a\\b"),
        (b"/a;x=1/b;y", b"/a/b"),
        (b"/a;x=1/b;y", b"/a"),
        (b"/a;x=1/b;y", b"/a;x=1/b;y"),
        (b"/a%3Bx/b", b"/a/b"),
        (b"/x/..;/a/b", b"/a/b"),
        (b"/a/b%00", b"/a/b"),
        (b"/a/b%00/c", b"/a/b"),
        (b"/a/b%0Ac", b"/a/b"),
        (b"/a/b%20", b"/a/b"),
        (b"/a/%20b%09/", b"/a/b"),
        (b"/a/b\x7f", b"/a/b"),
        (b"/a\t/\nb", b"/a/b"),
        (b"/m+n", b"/m n"),
        (b"/m+n", b"/m+n"),
        (b"/m+n\to", b"/m no"),
        (b"/a%C0%AFb", b"/a/b"),
        (b"/a%E0%80%AFb", b"/a/b"),
        (b"/a%F0%80%80%AFb", b"/a/b"),
        (b"/%C1%A1/b", b"/a/b"),
        (b"/a%E0%9F%BFb", b"/a\xe0\x9f\xbfb"),  # overlong, but of no ASCII character
        (b"/a/%EF%BC%8E%EF%BC%8E/b", b"/b"),
        (b"/a%EF%BC%8Fb", b"/a/b"),
        (b"/a%EF%BC%BCb", b"/a/b"),
        (b"/%EF%BC%8561/b", b"/a/b"),
        (b"/%u0061/b", b"/a/b"),
        (b"/a%u002Fb", b"/a/b"),
        (b"/%uD800", b"/?"),
        (b"", b""),
        (b"*", b"/*"),
        (b"a/b", b"/a/b"),
    ],
)
def test_some_server_reads(path: bytes, read_as: bytes) -> None:
    assert read_as in read(path)


@pytest.mark.parametrize(
    ("path", "never"),
    [
        (b"/%61/b", b"/%61/b"),  # decoded at least once
        (b"/my+room%2Bx", b"/my room x"),  # an encoded plus is a plus
        (b"/a/%EF%BC%8Eb", b"/a/.b"),  # fullwidth characters of an id stay
        (b"/a/%EF%BC%85zz", b"/a/%zz"),
        (b"/a%20b", b"/a/b"),
    ],
)
def test_no_server_reads(path: bytes, never: bytes) -> None:
    assert never not in read(path)


def test_an_encoded_slash_may_be_a_character_of_a_segment() -> None:
    assert [b"a/b", b"c"] in [segments_of(reading) for reading in readings(b"/a%2Fb/c")]


def test_a_plain_path_has_one_reading() -> None:
    assert readings(b"/meetings/a/join") == ["/meetings/a/join"]


@pytest.mark.parametrize("mark", [b"%3F", b"%23", b"%253f", b"#"])
def test_a_decoded_mark_may_cut_the_path_short(mark: bytes) -> None:
    assert [b"a", b"b"] in map(segments_of, readings_cut_short(readings(b"/a/b/x/.." + mark + b"q/c")))


def test_nothing_is_cut_short_without_a_mark() -> None:
    assert readings_cut_short(readings(b"/a%2Fb/c")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"/a/b", "/a/b"),
        (b"/%61%2Fb", "/a/b"),
        (b"/%2561", "/a"),
        (b"/%25%32%35%36%31", "/a"),
        (b"/%\t61", "/a"),
        (b"/%u0061%C1%A2", "/ab"),
        (b"/100%", "/100%"),
    ],
)
def test_settled(path: bytes, text: str) -> None:
    assert settled(path) == text


def test_too_deeply_encoded() -> None:
    assert settled(b"/%" + b"25" * (MAX_DECODINGS - 1) + b"61") == "/a"
    with pytest.raises(AmbiguousRequestError, match=r"^The path is percent-encoded more than 4 times over.$"):
        settled(b"/%" + b"25" * MAX_DECODINGS + b"61")


PIECES = [
    "/",
    "//",
    ".",
    "..",
    ";x",
    "\\",
    "%2F",
    "%252e",
    "%5C",
    "%00",
    "%20",
    "+",
    "%EF%BC%8F",
    "%C0%AF",
    "a",
    "%3F",
    "%u002f",
]
TANGLED = st.lists(st.sampled_from(PIECES), max_size=200).map(lambda pieces: "".join(pieces).encode())


@settings(deadline=None)
@given(path=TANGLED | st.binary(max_size=300))
@example(path=b"/%252e%2e;x\\%00//..%c0%af" * 300)
@example(path=b"/a" + b"%20" * 2700)
@example(path=b"/%25" * 2000)
def test_work_is_bounded(path: bytes) -> None:
    """Whatever the path, the steps together read at most so many characters; a path has no more readings than said."""
    work = 0

    def counted(step: target.Step) -> target.Step:
        def count(text: str) -> str:
            nonlocal work
            work += len(text)
            return step(text)

        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, "_STEPS", tuple(map(counted, target._STEPS)))
        patch.setattr(target, "_RESTRUCTURING", tuple(map(counted, target._RESTRUCTURING)))
        try:
            found = readings(path)
            assert len(found) <= MAX_READINGS
            assert len(set(found)) == len(found)
            assert sum(map(len, found)) <= MAX_CHARACTERS
            readings_cut_short(found)
        except AmbiguousRequestError as error:
            assert error.detail == TOO_MANY  # noqa: PT017 - both outcomes are right
    assert work <= MAX_CHARACTERS * (2 * len(target._STEPS) + len(target._RESTRUCTURING))


def test_too_many_readings() -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        readings(b"/%252e%2e;x\\%00//..%c0%af" * 5)
    assert caught.value.detail == TOO_MANY


def test_too_long_readings() -> None:
    with pytest.raises(AmbiguousRequestError) as caught:
        readings(b"/a//b;c/%20" + b"d" * MAX_CHARACTERS)
    assert caught.value.detail == TOO_MANY


@settings(deadline=None)
@given(path=TANGLED)
def test_no_step_makes_a_path_longer(path: bytes) -> None:
    text = path.decode("latin-1")
    for step in target._STEPS:
        assert len(step(text)) <= len(text)
