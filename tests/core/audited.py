"""Records as tables of the audit's tests write them: what a row does not name is as it should be."""

from dataclasses import replace
from typing import Any

from joingate.core.audit import Audit, Expected
from joingate.core.audit_findings import Finding
from joingate.core.record import (
    FORMAT,
    Basis,
    Database,
    Deferral,
    Entry,
    Genesis,
    OrderAccepted,
    PolicyAccepted,
    Record,
    Restriction,
    Restricts,
    Rules,
    Told,
)
from joingate.core.rules import Action

HOUR = "2026-06-03T12Z"
SCHEMA, ORIGIN, REVISION = "5" * 64, "joingate-0a1b2c3d4e5f", "7" * 16
BUILT = 1_780_401_600  # 2026-06-02T12:00:00Z
EPOCHS = (BUILT, BUILT + 3600)

GENESIS = Genesis(FORMAT, SCHEMA, ORIGIN)
DATABASE = Database(EPOCHS, ("Country", "City"), ("a" * 16, "b" * 16), 0, 60)
RULES = Rules(REVISION, 1, 1)
ORDER = OrderAccepted(
    rule="o-1",
    authority="cac",
    authority_name="Cyberspace Administration of China",
    branch="regulator",
    authority_territory=("CN", "UA-43"),
    territory=("CN",),
    action=Action.EJECT,
    legal_basis="Cybersecurity Law, article 50",
    reference="2026-17",
    received="2026-05-29",
    opens="2026-06-03T11:30:00Z",
    closes="2026-06-04T16:00:00Z",
    named=1,
    prefixes=0,
    service_wide=False,
    asked_objects=(),
    asked_territory=(),
    notice_url=None,
    shadow=False,
    digest="c" * 16,
)
POLICY = PolicyAccepted(
    rule="h-1", action=Action.EJECT, allow=None, deny=("DE",), rejects_unknown=False, shadow=False, digest="d" * 16
)
RESTRICTION = Restriction(
    action=Restricts.EJECT,
    basis=Basis.ORDER,
    rule="o-1",
    revision=REVISION,
    epochs=EPOCHS,
    located_as="CN",
    sources=2,
    told=Told.CLOSE,
    meeting="e" * 64,
    receipt="f" * 64,
)
BY_POLICY = replace(RESTRICTION, basis=Basis.HOST_POLICY, rule="h-1", located_as="DE")
DEFERRAL = Deferral(Basis.ORDER, "o-1", REVISION, EPOCHS, "CN", 2, "e" * 64)

BEGUN: tuple[Record, ...] = (GENESIS, DATABASE, ORDER, POLICY, RULES)
"""What stands before the first restriction, records 0 to 4."""


def order(**fields: Any) -> OrderAccepted:
    """The order, otherwise in some fields."""
    return replace(ORDER, **fields)


def policy(**fields: Any) -> PolicyAccepted:
    """The host policy, otherwise in some fields."""
    return replace(POLICY, **fields)


def restriction(**fields: Any) -> Restriction:
    """The restriction, otherwise in some fields."""
    return replace(RESTRICTION, **fields)


def entries(*records: Record | tuple[str, Record]) -> list[Entry]:
    """Put records in their places; one that has an hour of its own gives it to those after it."""
    found, hour = list[Entry](), HOUR
    for seq, each in enumerate(records):
        hour, record = each if isinstance(each, tuple) else (hour, each)
        found.append(Entry(seq, hour, record))
    return found


def audited(*records: Record | tuple[str, Record], lines_in_file: int = 1000) -> dict[str, Finding]:
    """Audit a history; returns the findings by their names."""
    audit = Audit(Expected(SCHEMA, ORIGIN, lines_in_file))
    for entry in entries(*records):
        audit.take(entry)
    return {finding.name: finding for finding in audit.findings()}


def violations(found: dict[str, Finding]) -> dict[str, list[str]]:
    """Return the properties that do not hold, with what violates them."""
    return {name: [str(each) for each in finding.violations] for name, finding in found.items() if not finding.holds}
