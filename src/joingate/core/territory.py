"""Territories: sets of ISO 3166-1 alpha-2 and ISO 3166-2 codes, exact.

Two house rules. A code is never rolled up into another or down: `CN` is never `HK`, `MO` or `TW`. And where ISO 3166-2
names a place that has a country code of its own (`CN-HK` is `HK`), only the country code is accepted, because that
is what databases answer; the other spelling would be a rule that silently never applies.

Source: ISO 3166-1 and 3166-2 (codes officially assigned), Treaty on European Union art. 52, TFEU art. 355,
Agreement on the European Economic Area.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from joingate.core.model import Location

Territory = frozenset[str]

COUNTRIES: Territory = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
    UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    XK
    """.split()
)
"""The 249 officially assigned codes, and XK (Kosovo), user-assigned but what every database answers."""

OWN_COUNTRY_CODE: dict[str, str] = {
    **{f"CN-{code}": code for code in ("HK", "MO", "TW")},
    **{f"US-{code}": code for code in ("AS", "GU", "MP", "PR", "UM", "VI")},
    **{f"FR-{code}": code for code in ("BL", "MF", "NC", "PF", "PM", "TF", "WF")},
    "FR-971": "GP",
    "FR-972": "MQ",
    "FR-973": "GF",
    "FR-974": "RE",
    "FR-976": "YT",
    "FR-GP": "GP",
    "FR-MQ": "MQ",
    "FR-GF": "GF",
    "FR-RE": "RE",
    "FR-YT": "YT",
    "NL-AW": "AW",
    "NL-CW": "CW",
    "NL-SX": "SX",
    "NL-BQ1": "BQ",
    "NL-BQ2": "BQ",
    "NL-BQ3": "BQ",
    "NO-21": "SJ",
    "NO-22": "SJ",
    "FI-01": "AX",
    "RS-KM": "XK",
    **{f"MA-{code}": "EH" for code in ("12", "AOU", "BOD", "LAA", "OUD")},
    **dict(zip(("CN-71", "CN-91", "CN-92"), ("TW", "HK", "MO"), strict=True)),  # as ISO 3166-2 wrote them before 2017
}
"""ISO 3166-2 codes of places that have an ISO 3166-1 code: the second is the one to write."""

MISTAKEN: dict[str, str] = {
    "UK": "GB",
    "EL": "GR",
    "CHINA": "CN",
    "FX": "FR",
    "YU": "RS",
    "BU": "MM",
    "TP": "TL",
    "ZR": "CD",
}
"""What people write, and the code they mean. `EL` and `UK` are the European Commission's own usage."""

UNPLACED: Territory = frozenset(("A1", "A2", "AP", "O1", "T1", "XX", "ZZ"))
"""Codes that databases have used for proxies, satellites, Asia-Pacific and unknown: no territory."""


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of countries, as it has been since a date."""

    members: Territory
    since: date
    meaning: str


_EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())

GROUPS: dict[str, Group] = {
    "EU": Group(_EU, date(2020, 2, 1), "the 27 member states"),
    "EU+": Group(
        _EU | frozenset("AX GF GP MF MQ RE YT".split()),
        date(2020, 2, 1),
        "the 27 member states with the regions of theirs that have codes of their own",
    ),
    "EEA": Group(
        _EU | frozenset("IS LI NO".split()),
        date(2020, 2, 1),
        "the 27 member states, Iceland, Liechtenstein, Norway",
    ),
}

_SUBDIVISION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")


def refuse_code(code: str) -> str | None:
    """Say why `code` cannot stand in a territory, with what to write instead; None when it can."""
    if code in COUNTRIES or code in GROUPS:
        return None
    upper = code.strip().upper()
    if code in OWN_COUNTRY_CODE:
        own = OWN_COUNTRY_CODE[code]
        return f'"{code}" has a country code of its own; write "{own}"'
    if upper in MISTAKEN:
        return f'"{code}" is not an ISO 3166 code; write "{MISTAKEN[upper]}"'
    if upper in UNPLACED:
        return f'"{code}" is no territory: whoever cannot be placed is not restricted; remove it'
    if code != upper and refuse_code(upper) is None:
        return f'"{code}" is not written as ISO 3166 writes it; write "{upper}"'
    if _SUBDIVISION.fullmatch(code):
        if code[:2] in COUNTRIES:
            return None
        return f'"{code}" is a part of "{code[:2]}", which is no ISO 3166-1 code; write the country\'s code first'
    return (
        f'"{code}" is not a territory; write an ISO 3166-1 alpha-2 code such as "DE", '
        f'an ISO 3166-2 code such as "UA-43", or a group ({", ".join(GROUPS)})'
    )


def expand(codes: Iterable[str]) -> Territory:
    """Turn written codes and group names into a territory.

    Raises:
        ValueError: a code that `refuse_code` refuses.
    """
    territory: set[str] = set()
    for code in codes:
        if (refusal := refuse_code(code)) is not None:
            raise ValueError(refusal)
        territory.update(GROUPS[code].members if code in GROUPS else (code,))
    return frozenset(territory)


@lru_cache(maxsize=4096)  # a hundred thousand orders ask the same few questions
def outside(inner: Territory, outer: Territory) -> Territory:
    """Return the codes of `inner` that do not lie inside `outer`; a subdivision lies inside its country (G2)."""
    return frozenset(code for code in inner if code not in outer and code[:2] not in outer)


def may_lie_in(location: Location, territory: Territory) -> bool:
    """Whether nobody can tell: the country is known, its part is not, and `territory` has parts of that country."""
    if location.country is None:
        return True
    if location.subdivision is not None or location.country in territory:
        return False
    return location.country in _countries_in_part(territory)


@lru_cache(maxsize=4096)
def _countries_in_part(territory: Territory) -> frozenset[str]:
    return frozenset(code[:2] for code in territory if "-" in code)


def lies_in(location: Location, territory: Territory) -> bool:
    """Whether `location` is positively inside `territory`; unknown never is (G1)."""
    return location.country in territory or location.subdivision in territory
