# ruff: noqa: RUF001 - Chinese punctuation is meant
import pytest

from joingate.codecs.negotiation import Language
from joingate.codecs.territory_names import list_places, place_name
from joingate.core.territory import COUNTRIES, GROUPS

EN, HANS, HANT = Language.ENGLISH, Language.SIMPLIFIED, Language.TRADITIONAL


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("CN", EN, "mainland China (CN)"),
        ("CN", HANS, "中国大陆（CN）"),
        ("CN", HANT, "中國大陸（CN）"),
        ("HK", EN, "Hong Kong (HK)"),
        ("MO", HANS, "澳门（MO）"),
        ("TW", HANT, "台灣（TW）"),
        ("UA-43", EN, "UA-43"),
        ("UA-43", HANS, "UA-43"),
        ("BV", HANT, "BV"),
    ],
)
def test_a_name_stands_beside_its_code(code: str, language: Language, name: str) -> None:
    assert place_name(code, language) == name


@pytest.mark.parametrize("language", Language)
def test_every_group_and_no_place_outside_iso_has_a_name(language: Language) -> None:
    for group in GROUPS:
        assert place_name(group, language) != group
    codes = [f"{first}{second}" for first in map(chr, range(65, 91)) for second in map(chr, range(65, 91))]
    assert {code for code in codes if place_name(code, language) != code} - COUNTRIES == {"EU"}


@pytest.mark.parametrize(
    ("codes", "language", "listed"),
    [
        ({"CN"}, EN, "mainland China (CN)"),
        ({"RU", "BY"}, EN, "Belarus (BY), Russia (RU)"),
        ({"RU", "BY"}, HANS, "白俄罗斯（BY）、俄罗斯（RU）"),
        (GROUPS["EU"].members, EN, "the European Union (EU)"),
        (GROUPS["EU"].members | {"CH"}, HANT, "歐洲聯盟（EU）、瑞士（CH）"),
        (GROUPS["EEA"].members, EN, "the European Economic Area (EEA)"),
        (GROUPS["EU+"].members, EN, "the European Union and its outlying regions (EU+)"),
        (
            GROUPS["EU+"].members | GROUPS["EEA"].members,
            EN,
            "the European Union and its outlying regions (EU+), Iceland (IS), Liechtenstein (LI), Norway (NO)",
        ),
        (set(), EN, ""),
    ],
)
def test_a_whole_group_is_named_once(codes: set[str], language: Language, listed: str) -> None:
    assert list_places(codes, language) == listed


def test_a_group_short_of_one_is_not_named() -> None:
    assert list_places(GROUPS["EU"].members - {"SK"}, EN).startswith("Austria (AT), Belgium (BE), ")
