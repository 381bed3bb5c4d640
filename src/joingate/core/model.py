"""The values that pass between the phases of a join. Frozen, slotted, no logic beyond naming themselves."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

Address = IPv4Address | IPv6Address


class Verdict(StrEnum):
    """What the gate does to a participant; a meeting is never an object of it (G3, G4)."""

    __hash__ = str.__hash__  # each decision asks for several, and Enum's own is a function in Python

    ADMIT = "admit"
    REJECT = "reject"  # at the join
    EJECT = "eject"  # already inside
    DEFER = "defer"  # would be ejected, but the meeting would end for the others


class Cause(StrEnum):
    """Why a location is unknown. Each is doubt, and doubt admits under an order (G1)."""

    __hash__ = str.__hash__

    PRIVATE = "private"  # not a public address, and no database or override places it
    NOT_FOUND = "not_found"
    COUNTRY_MISSING = "country_missing"  # a record without `country`: a continent, an anycast network
    SOURCES_DISAGREE = "sources_disagree"
    STALE = "stale"
    NO_DATABASE = "no_database"
    ADDRESS_UNDETERMINABLE = "address_undeterminable"
    SUBDIVISION_MISSING = "subdivision_missing"  # the country is known, and the order means a part of it


@dataclass(frozen=True, slots=True)
class Location:
    """Where the databases place a client_ip.

    Attributes:
        country: ISO 3166-1 alpha-2 code, or None when unknown.
        subdivision: ISO 3166-2 code such as "UA-43", when every source gives the same one.
        cause: why the country is unknown; None exactly when the country is known.
        sources: how many databases (or 1 for an override) agree on the country.
    """

    country: str | None
    subdivision: str | None = None
    cause: Cause | None = None
    sources: int = 1

    def __post_init__(self) -> None:
        if (self.country is None) is (self.cause is None):
            raise ValueError("a location is either a country or a cause of not knowing it")
        if self.subdivision is not None and self.subdivision[:3] != f"{self.country}-":
            raise ValueError("a subdivision is a part of its country")

    def __str__(self) -> str:
        return self.subdivision or self.country or f"unknown ({self.cause})"


UNKNOWN: dict[Cause, Location] = {cause: Location(None, cause=cause, sources=0) for cause in Cause}
"""The one Location of each cause."""


class Join(NamedTuple):
    """A request that would bring a participant into a meeting.

    Attributes:
        meeting: the meeting's id, folded as the meeting server folds it.
        participant: the id the meeting server knows the participant by, or None when the request names none.
        host: whether the request comes with host (moderator) rights.
        place: where the meeting server keeps the participant, in the words of its own interface: on Janus the session
            and the handle. Empty where meeting and participant say it all.
    """

    meeting: str
    participant: str | None = None
    host: bool = False
    place: tuple[str, ...] = ()


class Reason(StrEnum):
    """Why a decision fell as it did; the same word in responses, log events and metrics."""

    __hash__ = str.__hash__

    NO_RULE = "no_rule"  # nothing names this meeting
    NOT_IN_FORCE = "not_in_force"  # something does, and might mean this location, outside its time window
    NOT_IN_SCOPE = "not_in_scope"  # something does, and this location is not meant
    DOUBT = "doubt"  # an order in force, and the location is unknown: admitted, counted
    SHADOW = "shadow"  # only rules in shadow would have restricted
    ORDER = "order"
    HOST_POLICY = "host_policy"
    UNRECORDED = "unrecorded"  # a rule restricts, and the ledger could not be written: admitted, counted
    HOST_CONTINUITY = "host_continuity"  # deferred: the last host, and others stay
