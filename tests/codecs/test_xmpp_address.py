"""Addresses and their folding; tests/integration/test_prosody_admin.py compares with what Prosody itself computes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.dialect import UnreadableError
from joingate.codecs.xmpp_address import MAX_PART, Address, fold, prepare_domain, prepare_node, split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("room@muc.example/nick", ("room", "muc.example", "nick")),
        ("room@muc.example", ("room", "muc.example", "")),
        ("muc.example", ("", "muc.example", "")),
        ("muc.example/nick", ("", "muc.example", "nick")),
        ("muc.example/a@b", ("", "muc.example", "a@b")),
        ("room@muc.example/a/b@c/", ("room", "muc.example", "a/b@c/")),
        ("room@muc.example/a\nb", ("room", "muc.example", "a\nb")),
        ("r" * MAX_PART + "@d", ("r" * MAX_PART, "d", "")),
    ],
)
def test_split(text: str, parts: tuple[str, str, str]) -> None:
    assert split(text) == Address(*parts)


@pytest.mark.parametrize(
    "text",
    ["", "@", "/", "@d", "n@", "n@/r", "/r", "d/", "n@d/", "a@b@c", "a@b@c/r", "é" * 512 + "@d", "n@d/" + "r" * 1024],
)
def test_malformed_address(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"^An address is malformed\.$"):
        split(text)


@pytest.mark.parametrize(
    ("node", "prepared"),
    [
        ("room", "room"),
        ("SecretRoom", "secretroom"),
        ("[Tenant]Room", "[tenant]room"),
        ("%E4%BC%9A", "%e4%bc%9a"),
        ("Straße", "strasse"),
        ("ÉTÉ", "été"),
        ("E\u0301", "é"),
        ("room\u200b\u00ad", "room"),  # mapped to nothing: B.1
        ("\uff32oom", "room"),
        ("ﬁ", "fi"),
        ("ΣΟΦΟΣ", "σοφοσ"),
        ("σοφός", "σοφόσ"),
        ("\u04c0", "\u04c0"),  # lower case came with Unicode 5.0
        ("\u10a0", "\u10a0"),  # as above, 4.1
        ("שלום", "שלום"),
        ("ש1ם", "ש1ם"),
        ("r" * MAX_PART, "r" * MAX_PART),
    ],
)
def test_spellings_of_one_room(node: str, prepared: str) -> None:
    assert prepare_node(node) == prepared
    assert prepare_node(prepared) == prepared
    assert fold(node) == prepared


@pytest.mark.parametrize(
    "node",
    [
        *(
            "",
            "a b",
            "a@b",
            "a/b",
            "a:b",
            "a&b",
            "a<b",
            "a>b",
            "a'b",
            'a"b',
            "a\tb",
            "a\u00a0b",
            "a\u200eb",
            "a\ufffdb",
        ),
        *("\u200b", "\ue000", "\ufdd0", "\u0237", "🤗", "\uff20"),  # unassigned in Unicode 3.2, or a wide "@"
        *("aש", "שa", "ש1", "1ש", "ש\u0061ש", "r" * 1024, "é" * 512),
    ],
)
def test_no_room_s_name(node: str) -> None:
    with pytest.raises(UnreadableError, match=r"^A room's name is malformed\.$"):
        prepare_node(node)
    assert fold(node) == node


@pytest.mark.parametrize(
    ("domain", "prepared"),
    [
        ("MUC.Example", "muc.example"),
        ("muc.example.", "muc.example"),
        ("muc\uff0eexample", "muc.example"),
        ("muc.ex\u00adample", "muc.example"),
        ("ß.example", "ss.example"),
        ("[::1]", "[::1]"),
    ],
)
def test_domains(domain: str, prepared: str) -> None:
    assert prepare_domain(domain) == prepared


@pytest.mark.parametrize("domain", ["", ".", "a\u200eb", "a\ue000b", "\u00ad", "a\uff20b", "a\uff0fb", "℀.example"])
def test_no_domain(domain: str) -> None:
    with pytest.raises(UnreadableError, match=r"^A domain is malformed\.$"):
        prepare_domain(domain)


@given(st.text(max_size=12))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    try:
        prepared = prepare_node(text)
    except UnreadableError:
        return
    try:
        assert prepare_node(prepared) == prepared
    except UnreadableError:
        assert not prepared.isascii()


@given(st.text(max_size=30))
def test_an_address_is_whole_in_its_parts(text: str) -> None:
    try:
        node, domain, resource = split(text)
    except UnreadableError:
        return
    assert (f"{node}@" if node else "") + domain + (f"/{resource}" if resource else "") == text
    assert domain
