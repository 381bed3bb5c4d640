from dataclasses import replace

import pytest
from hypothesis import given

from joingate.codecs.ledger_line import decode
from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.core.audit import Audit, Expected
from joingate.core.model import Cause
from joingate.core.record import (
    Correction,
    Database,
    Disclosure,
    Ending,
    Expiry,
    Genesis,
    Heartbeat,
    Lift,
    Mistake,
    Outcome,
    Record,
    Recovery,
    Segment,
    Subject,
    Window,
)
from tests.core.audited import (
    BEGUN,
    DEFERRAL,
    EPOCHS,
    GENESIS,
    ORIGIN,
    RESTRICTION,
    REVISION,
    SCHEMA,
    audited,
    entries,
    order,
    policy,
    violations,
)
from tests.ledger_drawn import histories
from tests.ledger_histories import ORIGIN as DRAWN_ORIGIN
from tests.ledger_histories import Story

NAMES = (
    "genesis sequence clock segments database_records orders rules territory host_policies doubt databases reach "
    "told deferrals meetings_ended accounts_touched ejections not_restricted corrections disclosures recoveries gaps "
    "personal"
).split()

BEAT = Heartbeat()
SEGMENT = Segment(("a" * 64,), REVISION, EPOCHS)
CORRECTION = Correction(5, Mistake.LOCATION, "The database was wrong.")
DISCLOSURE = Disclosure("cac", Subject.PARTICIPANTS, 3, "Law, article 1", "ref")

EVERYTHING: tuple[Record, ...] = (
    *BEGUN,
    RESTRICTION,
    DEFERRAL,
    Outcome(Ending.CONFIRMED, (5,)),
    Window("o-1", {Cause.STALE: 2, Cause.NOT_FOUND: 1}, 4, 5),
    DISCLOSURE,
    CORRECTION,
    BEAT,
    Recovery(17, "2" * 64),
    Lift("h-1"),
    Expiry("o-1"),
)


def test_a_history_of_every_kind_holds() -> None:
    found = audited(*EVERYTHING)
    assert list(found) == NAMES
    assert violations(found) == {}
    assert {name: dict(found[name].counts) for name in NAMES if found[name].counts} == {
        "sequence": {"records": 15},
        "segments": {"segments": 0},
        "database_records": {"databases": 1},
        "orders": {"acceptances": 2, "lifts": 1, "expiries": 1},
        "rules": {"restrictions": 1},
        "territory": {"restrictions": 1},
        "host_policies": {"restrictions": 0},
        "doubt": {"restrictions": 1, "admitted": 3},
        "databases": {"restrictions": 1},
        "reach": {"restrictions": 1},
        "told": {"http": 0, "close": 1, "in_band": 0, "not_told": 0},
        "deferrals": {"deferrals": 1},
        "meetings_ended": {"ended": 0},
        "accounts_touched": {"touched": 0},
        "ejections": {"ejections": 1, "confirmed": 1, "still_present": 0, "unresolved": 0},
        "not_restricted": {"unrecorded": 5, "shadowed": 4},
        "corrections": {"corrections": 1},
        "disclosures": {"disclosures": 1, "people": 3},
        "recoveries": {"recoveries": 1},
        "gaps": {"hours": 0, "gaps": 0},
        "personal": {"texts": 6},
    }


def test_what_is_counted_stands_in_the_sentences() -> None:
    found = audited(*EVERYTHING)
    assert found["meetings_ended"].sentence == "meetings ended: 0; no record can have a meeting as its object"
    assert found["accounts_touched"].sentence == "accounts touched: 0; no record can have an account as its object"
    assert found["sequence"].sentence == "no record is missing, doubled or out of its place: 15"
    assert found["orders"].sentence == (
        "every order keeps to its authority's territory, to what was asked and to its longest time: "
        "2 acceptances, 1 lifts, 1 expiries"
    )
    assert found["doubt"].sentence.endswith("admitted in doubt: 3")
    assert found["not_restricted"].sentence == (
        "not restricted because nothing could be recorded: 5; because the rule is in shadow: 4"
    )
    assert found["disclosures"].sentence == "disclosures to authorities: 1, about 3 people"
    assert found["recoveries"].sentence == "unfinished ends of files that were set aside: 1"


WRONG: dict[str, tuple[tuple[Record, ...], dict[str, list[str]]]] = {
    "nothing": ((), {"genesis": ["there is no record at all"]}),
    "no genesis": ((BEAT,), {"genesis": ["record 0: the first record is no genesis"]}),
    "two": ((GENESIS, GENESIS), {"genesis": ["record 1: a second genesis"]}),
    "another vocabulary": (
        (replace(GENESIS, schema="6" * 64),),
        {"genesis": ["record 0: its format or its vocabulary is not the one known here"]},
    ),
    "another format": (
        (replace(GENESIS, format="joingate-ledger/2"),),
        {"genesis": ["record 0: its format or its vocabulary is not the one known here"]},
    ),
    "another ledger": (
        (replace(GENESIS, origin="joingate-x"),),
        {"genesis": [f"record 0: it begins the history of joingate-x, not of {ORIGIN}"]},
    ),
    "an order beyond its limits": (
        (GENESIS, order(territory=("HK",), named=0)),
        {"orders": ["record 1: HK is outside the territory of cac; it names no meeting"]},
    ),
    "a host policy of no sense": (
        (GENESIS, policy(deny=None)),
        {"orders": ["record 1: exactly one of allow and deny says what the host wants"]},
    ),
    "databases without digests": (
        (GENESIS, Database(EPOCHS, ("Country",), ("a" * 16, "b" * 16), 0, 0)),
        {"database_records": ["record 1: it does not name an epoch, a type and a digest for each database"]},
    ),
    "an outcome of nothing": (
        (GENESIS, Outcome(Ending.CONFIRMED, (0,))),
        {"ejections": ["record 1: record 0 is no ejection before it that is not yet confirmed"]},
    ),
    "a correction of itself": (
        (GENESIS, replace(CORRECTION, corrects=1)),
        {"corrections": ["record 1: it corrects record 1, which is not before it"]},
    ),
    "a segment too early": (
        (GENESIS, Segment(("a" * 64,), "", ())),
        {"segments": ["record 1: a segment that does not begin a file"]},
    ),
    "an address in an order": (
        (GENESIS, order(legal_basis="someone at 203.0.113.7")),
        {"personal": ["record 1: a text of its holds an IP address"]},
    ),
    "a mail address in an authority's name": (
        (GENESIS, order(authority_name="someone@example.org")),
        {"personal": ["record 1: a text of its holds a mail address"]},
    ),
    "an address in a reference": (
        (GENESIS, order(reference="2001:db8::7")),
        {"personal": ["record 1: a text of its holds an IP address"]},
    ),
    "an address in a disclosure": (
        (GENESIS, replace(DISCLOSURE, reference="203.0.113.7"), replace(DISCLOSURE, legal_basis="203.0.113.7")),
        {"personal": [f"record {seq}: a text of its holds an IP address" for seq in (1, 2)]},
    ),
    "an address in a correction": (
        (GENESIS, replace(CORRECTION, corrects=0, explanation="it was 203.0.113.7")),
        {"personal": ["record 1: a text of its holds an IP address"]},
    ),
}


@pytest.mark.parametrize(("records", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_record(records: tuple[Record, ...], expected: dict[str, list[str]]) -> None:
    assert violations(audited(*records)) == expected


def test_hours_are_those_of_the_records() -> None:
    found = audited(GENESIS, ("2026-06-03T11Z", BEAT))
    assert violations(found) == {"clock": ["record 1: 2026-06-03T11Z comes after 2026-06-03T12Z"]}


@pytest.mark.parametrize(
    ("seqs", "reasons"),
    [
        ((0, 1, 2), []),
        ((0, 2, 3), ["record 2: it stands where record 1 belongs"]),
        ((0, 0, 1), ["record 0: it stands where record 1 belongs"]),
        ((0, 2, 1), ["record 2: it stands where record 1 belongs", "record 1: it stands where record 3 belongs"]),
        ((1, 2, 3), ["record 1: it stands where record 0 belongs"]),
    ],
)
def test_a_record_that_is_missing_or_out_of_its_place_is_told_of_once(
    seqs: tuple[int, ...], reasons: list[str]
) -> None:
    audit = Audit(Expected(SCHEMA, ORIGIN, 1000))
    for seq, entry in zip(seqs, entries(GENESIS, BEAT, BEAT), strict=True):
        audit.take(replace(entry, seq=seq))
    found = {finding.name: finding for finding in audit.findings()}
    assert violations(found).get("sequence", []) == reasons


def test_a_line_that_is_no_record_keeps_its_place() -> None:
    audit = Audit(Expected(SCHEMA, ORIGIN, 2))
    first, _, _, fourth = entries(GENESIS, BEAT, BEAT, BEAT)
    audit.take(first)
    audit.skip()
    audit.skip()
    audit.take(fourth)
    found = {finding.name: finding for finding in audit.findings()}
    assert violations(found) == {}
    assert found["sequence"].counts == {"records": 4}


def test_a_file_begins_with_a_segment_that_says_what_is_in_use() -> None:
    assert violations(audited(*BEGUN, SEGMENT, BEAT, lines_in_file=5)) == {}
    assert audited(*BEGUN, SEGMENT, BEAT, lines_in_file=5)["segments"].sentence == (
        "every file but the first begins with a segment that says what is in use: 1"
    )
    assert violations(audited(*BEGUN, BEAT, lines_in_file=5)) == {
        "segments": ["record 5: the first record of a file is no segment"]
    }
    for wrong in (replace(SEGMENT, revision=""), replace(SEGMENT, epochs=())):
        assert violations(audited(*BEGUN, wrong, lines_in_file=5)) == {
            "segments": ["record 5: it names another revision or other databases than are in use"]
        }
    assert violations(audited(Segment(("a" * 64,), "", ()), BEAT)) == {
        "genesis": ["record 0: the first record is no genesis"],
        "segments": ["record 0: a segment that does not begin a file"],
    }


def test_the_audit_expects_what_it_is_told() -> None:
    audit = Audit(Expected(SCHEMA_DIGEST, "o", 1000))
    audit.take(entries(Genesis(GENESIS.format, SCHEMA_DIGEST, "o"))[0])
    assert all(finding.holds for finding in audit.findings())


@given(histories())
def test_whatever_a_gate_writes_holds(story: Story) -> None:
    """Every restriction comes of the rules' own judgement; none is found outside its order's territory."""
    audit = Audit(Expected(SCHEMA_DIGEST, DRAWN_ORIGIN, 16_384))
    for line in story.lines:
        audit.take(decode(line))
    found = {finding.name: finding for finding in audit.findings()}
    assert violations(found) == {}
    assert found["territory"].violated == 0
