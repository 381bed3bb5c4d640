"""What can be said at all. These lists are the closed vocabulary, written out once more: to widen it takes both."""

from dataclasses import FrozenInstanceError, fields
from enum import StrEnum
from typing import Any, get_args

import pytest

from joingate.core import record
from joingate.core.record import Basis, Ending, Entry, Heartbeat, Lift, Mistake, Restricts, Subject, Told

OF_RULES = "rule revision orders host_policies action allow deny rejects_unknown shadow digest opens closes received"
OF_ORDERS = (
    "authority authority_name branch authority_territory territory legal_basis reference named prefixes service_wide "
    "asked_objects asked_territory notice_url"
)
OF_DATABASES = "epochs types digests overrides max_age_days located_as sources"
OF_THE_LEDGER = "format schema origin peaks size"
OF_RESTRICTIONS = "basis told meeting receipt ending restrictions"
OF_COUNTS = "doubt shadowed unrecorded people"
BY_HAND = "subject corrects mistake explanation"
EVERY_FIELD = set(
    f"{OF_RULES} {OF_ORDERS} {OF_DATABASES} {OF_THE_LEDGER} {OF_RESTRICTIONS} {OF_COUNTS} {BY_HAND}".split()
)


def test_no_field_can_name_a_person() -> None:
    found = {field.name for made in get_args(record.Record) for field in fields(made)}
    assert found == EVERY_FIELD
    persons = "ip client address prefix participant name token account host user nick session agent time moment"
    assert not found & set(persons.split())


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (Basis, {"order", "host_policy"}),
        (Restricts, {"reject", "eject"}),
        (Told, {"http", "close", "in_band", "not"}),
        (Ending, {"confirmed", "still_present"}),
        (Subject, {"participants", "meeting", "account", "other"}),
        (Mistake, {"order", "location", "clerical"}),
    ],
)
def test_the_words_are_these(words: type[StrEnum], values: set[str]) -> None:
    assert set(words) == values


def test_nothing_acts_on_a_meeting_or_an_account() -> None:
    """What is done is done to one participant, and there are two things to do (G3, G4)."""
    assert set(Restricts) == {"reject", "eject"}
    kinds = {made.__name__ for made in get_args(record.Record)}
    assert kinds == set(
        "Genesis Segment OrderAccepted PolicyAccepted Lift Expiry Rules Database Restriction Deferral Outcome Window "
        "Disclosure Correction Heartbeat Recovery".split()
    )


@pytest.mark.parametrize("made", [*get_args(record.Record), Entry])
def test_a_record_cannot_be_changed(made: Any) -> None:
    assert made.__dataclass_params__.frozen
    assert "__slots__" in vars(made)


def test_an_entry_is_a_record_in_its_place() -> None:
    entry = Entry(7, "2026-11-21T04Z", Lift("o"))
    assert entry == Entry(7, "2026-11-21T04Z", Lift("o"))
    assert entry != Entry(7, "2026-11-21T04Z", Heartbeat())
    with pytest.raises(FrozenInstanceError):
        entry.seq = 8  # type: ignore[misc]
