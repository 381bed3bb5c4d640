"""From what databases answer to one location: only `country` decides, every doubt has a cause, all sources must agree.

Record layout: MaxMind DB country and city records (`country.iso_code`, `subdivisions[].iso_code`). `registered_country`
says who registered the network and `represented_country` whose military base it is; neither says where it is.
"""

from collections.abc import Mapping, Sequence

from joingate.core.model import UNKNOWN, Address, Cause, Location
from joingate.core.territory import COUNTRIES, OWN_COUNTRY_CODE, Territory

UNKNOWN_PLACE = "unknown"


def place(country: str, subdivision: str | None = None, *, sources: int = 1) -> Location:
    """Name a place as territories name it: Hong Kong written as a part of CN is HK (G2).

    Args:
        country: ISO 3166-1 alpha-2; a code that is none (old databases' A1, AP, EU) is no country.
        subdivision: ISO 3166-2, full ("UA-43").
        sources: how many databases say so.
    """
    if subdivision is not None and (own := OWN_COUNTRY_CODE.get(subdivision)) is not None:
        country, subdivision = own, None
    if country not in COUNTRIES:
        return UNKNOWN[Cause.COUNTRY_MISSING]
    return Location(country, subdivision, sources=sources)


def read_record(record: object) -> Location:
    """Read one database record; whatever is not the expected shape is a missing country, never an error."""
    if record is None:
        return UNKNOWN[Cause.NOT_FOUND]
    if not isinstance(record, Mapping) or not isinstance(found := record.get("country"), Mapping):
        return UNKNOWN[Cause.COUNTRY_MISSING]
    country = found.get("iso_code")
    if not isinstance(country, str):
        return UNKNOWN[Cause.COUNTRY_MISSING]
    return place(country, _subdivision(country, record.get("subdivisions")))


def _subdivision(country: str, found: object) -> str | None:
    """Take the least specific subdivision: the list runs from the largest part to the smallest."""
    if isinstance(found, Sequence) and found and isinstance(found[0], Mapping):
        code = found[0].get("iso_code")
        if isinstance(code, str) and code:
            return f"{country}-{code}"
    return None


def agree(answers: Sequence[Location], address: Address) -> Location:
    """Combine what several databases say of `address`: a country only when every one of them gives it (G1).

    A source that knows no subdivision leaves the country standing and the subdivision unknown.
    """
    if not answers:
        return UNKNOWN[Cause.NO_DATABASE]
    first = answers[0]
    if any(answer.country != first.country for answer in answers):
        return UNKNOWN[Cause.SOURCES_DISAGREE]
    if first.country is None:
        cause = first.cause if all(answer.cause is first.cause for answer in answers) else Cause.COUNTRY_MISSING
        if cause is Cause.NOT_FOUND and not address.is_global:
            cause = Cause.PRIVATE
        return UNKNOWN[cause or Cause.COUNTRY_MISSING]
    if len(answers) == 1:
        return first
    same = all(answer.subdivision == first.subdivision for answer in answers)
    return Location(first.country, first.subdivision if same else None, sources=len(answers))


def located_as(location: Location, codes: Territory) -> str:
    """Name the place no finer than a rule does that speaks of `codes`: a part only where such parts are named.

    Returns:
        An ISO 3166 code, or "unknown".
    """
    country = location.country
    if country is None:
        return UNKNOWN_PLACE
    if country in codes or location.subdivision is None:
        return country
    parts = f"{country}-"
    return location.subdivision if any(code.startswith(parts) for code in codes) else country
