import hashlib
import re
from dataclasses import fields
from typing import Any, get_args

import pytest

from joingate.codecs.ledger_schema import FLAG, HOUR, KIND_OF, KINDS, MOST_SEQ, SCHEMA_DIGEST, SEQ, Field, describe
from joingate.core import record
from joingate.core.model import Cause
from joingate.core.rules import Action
from tests.conftest import ROOT

SHA256, DIGEST = "0a" * 32, "0a" * 8
ID = (["a", "A.b_c-9", "x" * 64], ["", "x" * 65, "a b", "a\n", "\u00e4", "a/b", 1, None])
COUNT = ([0, 1, MOST_SEQ], [-1, MOST_SEQ + 1, 1.0, True, "1", None])
CODES = ([[], ["CN"], ["UA-43", "CN"]], ["CN", ["cn"], ["CHN"], ["CN-"], ["CN-ABCD"], [1], [None], ["CN"] * 8193])
TEXT = (["x", "\u7f51\u4fe1\u529e \u200d", "x" * 2048], ["", "x" * 2049, "a\nb", "a\x7fb", "a\u2028b", 1, None])
FLAGS = ([True, False], [0, 1, "true", None])
SHA256S = ([SHA256], ["", SHA256[1:], SHA256.upper(), SHA256 + "0", 1])
DIGESTS = ([DIGEST], ["", DIGEST[1:], "g" * 16, 1])
EPOCHS = ([[0], [1, 2]], [[], [-1], [1.5], list(range(17)), 1, None])
PLACES = (["CN", "UA-43", "unknown"], ["Unknown", "", "CHN", "CN ", 1])
MOMENTS = (["2026-06-03T16:00:00Z"], ["2026-06-03", "2026-06-03T16:00:00+00:00", "2026-06-03T16:00:00.5Z", 0])
BASES, ACTIONS = (["order", "host_policy"], ["terms_of_service", "", 1]), (["reject", "eject"], ["end", "ban", None])

VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "genesis.format": (["joingate-ledger/1"], ["joingate-ledger/2", "", 1]),
    "genesis.schema": SHA256S,
    "genesis.origin": (["joingate-0a1b2c3d4e5f"], ["", "a b", "a+b", "x" * 129, 1]),
    "segment.peaks": ([[SHA256], [SHA256] * 53], [[], [SHA256] * 54, [DIGEST], SHA256]),
    "segment.revision": (["", DIGEST], [SHA256, None]),
    "segment.epochs": ([[], [1]], [[-1], list(range(17)), None]),
    "order.rule": ID,
    "order.authority": ID,
    "order.authority_name": TEXT,
    "order.branch": (["judicial", "executive", "police", "regulator", "other"], ["army", "", None]),
    "order.authority_territory": CODES,
    "order.territory": CODES,
    "order.action": ACTIONS,
    "order.legal_basis": TEXT,
    "order.reference": TEXT,
    "order.received": (["2026-05-29"], ["29.5.2026", "2026-05-29T00:00:00Z", 1]),
    "order.opens": MOMENTS,
    "order.closes": MOMENTS,
    "order.named": COUNT,
    "order.prefixes": COUNT,
    "order.service_wide": FLAGS,
    "order.asked_objects": ([[], ["meeting", "account", "participants", "data", "other"]], [["host"], "meeting", None]),
    "order.asked_territory": CODES,
    "order.notice_url": ([None, "https://example.org/"], ["", "a\nb", 1]),
    "order.shadow": FLAGS,
    "order.digest": DIGESTS,
    "host_policy.rule": ID,
    "host_policy.action": ACTIONS,
    "host_policy.allow": ([None, *CODES[0]], CODES[1]),
    "host_policy.deny": ([None, *CODES[0]], CODES[1]),
    "host_policy.rejects_unknown": FLAGS,
    "host_policy.shadow": FLAGS,
    "host_policy.digest": DIGESTS,
    "lift.rule": ID,
    "expiry.rule": ID,
    "rules.revision": DIGESTS,
    "rules.orders": COUNT,
    "rules.host_policies": COUNT,
    "database.epochs": EPOCHS,
    "database.types": ([["City"], ["x" * 128]], [[], [""], ["x" * 129], ["a"] * 17, "City"]),
    "database.digests": ([[DIGEST]], [[], [SHA256], DIGEST]),
    "database.overrides": COUNT,
    "database.max_age_days": COUNT,
    "restriction.action": ACTIONS,
    "restriction.basis": BASES,
    "restriction.rule": ID,
    "restriction.revision": DIGESTS,
    "restriction.epochs": EPOCHS,
    "restriction.located_as": PLACES,
    "restriction.sources": COUNT,
    "restriction.told": (["http", "close", "not"], ["mail", "", True]),
    "restriction.meeting": SHA256S,
    "restriction.receipt": SHA256S,
    "deferral.basis": BASES,
    "deferral.rule": ID,
    "deferral.revision": DIGESTS,
    "deferral.epochs": EPOCHS,
    "deferral.located_as": PLACES,
    "deferral.sources": COUNT,
    "deferral.meeting": SHA256S,
    "outcome.ending": (["confirmed", "still_present"], ["gone", None]),
    "outcome.restrictions": ([[0], [1, 2], list(range(1024))], [[], [-1], ["1"], list(range(1025)), 1]),
    "window.rule": ID,
    "window.doubt": (
        [{}, {"not_found": 1}, {"not_found": 2, "stale": MOST_SEQ}],
        [{"stale": 1, "not_found": 1}, {"stale": 0}, {"stale": "1"}, {"vpn": 1}, [], None],
    ),
    "window.shadowed": COUNT,
    "window.unrecorded": COUNT,
    "disclosure.authority": ID,
    "disclosure.subject": (["participants", "meeting", "account", "other"], ["person", ""]),
    "disclosure.people": COUNT,
    "disclosure.legal_basis": TEXT,
    "disclosure.reference": TEXT,
    "correction.corrects": COUNT,
    "correction.mistake": (["order", "location", "clerical"], ["other", None]),
    "correction.explanation": TEXT,
    "recovery.size": ([1, MOST_SEQ], [0, -1, "1"]),
    "recovery.digest": SHA256S,
}
"""Of every field, values that it may have and values that it may not."""

FIELDS = {f"{kind}.{name}": field for kind, (_, of) in KINDS.items() for name, field in of.items()}


def test_every_record_is_a_kind_with_the_fields_of_its_class() -> None:
    assert {made for made, _ in KINDS.values()} == set(get_args(record.Record)) == set(KIND_OF)
    for kind, (made, names) in KINDS.items():
        assert [field.name for field in fields(made)] == list(names)
        assert KIND_OF[made] == kind


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_takes_its_values_and_no_other(name: str) -> None:
    good, bad = VALUES[name]
    field = FIELDS[name]
    for value in good:
        assert written(field.read(value)) == value
    for value in bad:
        refuse(field, value)


def written(value: Any) -> Any:
    """Return what JSON has for a value that was read."""
    if isinstance(value, tuple):
        return list(value)
    return {str(key): count for key, count in value.items()} if isinstance(value, dict) else value


def refuse(field: Field, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        field.read(value)


def test_what_is_read_is_what_the_record_holds() -> None:
    assert FIELDS["order.territory"].read(["CN"]) == ("CN",)
    assert FIELDS["order.action"].read("eject") is Action.EJECT
    assert list(FIELDS["window.doubt"].read({"stale": 1})) == [Cause.STALE]


@pytest.mark.parametrize(
    ("hour", "is_one"),
    [
        ("2026-11-21T04Z", True),
        ("2026-12-31T23Z", True),
        ("2026-13-01T00Z", False),
        ("2026-00-01T00Z", False),
        ("2026-01-32T00Z", False),
        ("2026-01-00T00Z", False),
        ("2026-01-01T24Z", False),
        ("2026-01-01T04", False),
        ("2026-01-01T04:30Z", False),
        ("2026-01-01T04Z\n", False),
        (2026, False),
    ],
)
def test_an_hour_is_no_finer_than_an_hour(hour: Any, is_one: bool) -> None:
    if is_one:
        assert HOUR.read(hour) == hour
    else:
        refuse(HOUR, hour)


def test_a_seq_is_a_whole_number_and_a_flag_a_flag() -> None:
    assert SEQ.read(0) == 0
    assert FLAG.read(True) is True
    refuse(SEQ, True)
    refuse(FLAG, 1)


def test_the_description_names_every_field_once_and_gives_the_digest() -> None:
    lines = describe().splitlines()
    assert lines[0] == record.FORMAT
    assert [line.split(": ")[0] + "." + line.split(": ")[1] for line in lines[4:]] == list(FIELDS)
    assert "order: territory: list of 0 to 8192: an ISO 3166 code /[A-Z]{2}(?:-[A-Z0-9]{1,3})?/" in lines
    assert "window: doubt: object, keys sorted, each one of " + " | ".join(Cause) + ": a count, 1 or more" in lines
    assert hashlib.sha256(describe().encode()).hexdigest() == SCHEMA_DIGEST


def test_the_documentation_holds_the_same_words() -> None:
    text = (ROOT / "docs" / "verify.md").read_text("utf-8")
    assert describe() in re.findall(r"^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert SCHEMA_DIGEST in text
