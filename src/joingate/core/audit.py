"""What a whole history shows, read once from its first record to its last: the guarantees, as far as records can tell.

A fold over entries. It remembers the rules that were ever accepted, what is in use, and a bit for each ejection that is
not confirmed; of everything else only counts and the first violations. Nothing here knows a clock or a file: what the
tree and the checkpoints show is added in `ledger.verify`.

Hours are all there is of time, so a record is held against a window as far as they tell: it violates one only when the
whole of its hour lies outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joingate.core import record as r
from joingate.core.audit_ejections import Ejections
from joingate.core.audit_findings import Finding, Property
from joingate.core.audit_hours import Hours
from joingate.core.audit_judgements import InUse, Judgements
from joingate.core.audit_orders import order_problems, policy_problems
from joingate.core.audit_rules import order_terms, policy_terms
from joingate.core.audit_texts import personal


@dataclass(frozen=True, slots=True)
class Expected:
    """What a history is expected to be.

    Attributes:
        schema: SHA-256 of the vocabulary that its records were read by, in hexadecimal.
        origin: of the ledger.
        lines_in_file: records after which a file of records is complete, and the next begins with a segment.
    """

    schema: str
    origin: str
    lines_in_file: int


class Audit:
    """See the module. Take every line in its order, then ask for the findings."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._lines = 0
        self._next = 0
        self._genesis = Property("genesis")
        self._sequence = Property("sequence")
        self._segments = Property("segments")
        self._orders = Property("orders")
        self._databases = Property("database_records")
        self._corrections = Property("corrections")
        self._personal = Property("personal")
        self._hours = Hours()
        self._in_use = InUse()
        self._judgements = Judgements(self._in_use, self._hours)
        self._ejections = Ejections()
        self._counted = dict.fromkeys(
            ("segment", "acceptance", "lift", "expiry", "database", "doubt", "shadowed", "unrecorded"), 0
        ) | dict.fromkeys(("disclosure", "people", "correction", "recovery", "text"), 0)
        self._takers: dict[type[r.Record], Callable[[int, Any], None]] = {
            r.Genesis: self._take_genesis,
            r.Segment: self._take_segment,
            r.OrderAccepted: self._take_order,
            r.PolicyAccepted: self._take_policy,
            r.Lift: self._take_lift,
            r.Expiry: self._take_expiry,
            r.Rules: self._take_rules,
            r.Database: self._take_database,
            r.Restriction: self._take_restriction,
            r.Deferral: self._judgements.defer,
            r.Outcome: self._ejections.resolve,
            r.Window: self._take_window,
            r.Disclosure: self._take_disclosure,
            r.Correction: self._take_correction,
            r.Heartbeat: self._take_heartbeat,
            r.Recovery: self._take_recovery,
        }

    def take(self, entry: r.Entry) -> None:
        """Note the record on the next line."""
        seq, record = entry.seq, entry.record
        if seq != self._next:
            self._sequence.violate(seq, f"it stands where record {self._next} belongs")
        if self._lines % self._expected.lines_in_file == 0:
            self._begin_file(seq, record)
        self._hours.take(seq, entry.hour)
        self._takers[type(record)](seq, record)
        self._lines += 1
        self._next = seq + 1

    def skip(self) -> None:
        """Note that the next line is no record; whoever reads lines says why."""
        self._lines += 1
        self._next += 1

    def _begin_file(self, seq: int, record: r.Record) -> None:
        if self._lines == 0:
            if not isinstance(record, r.Genesis):
                self._genesis.violate(seq, "the first record is no genesis")
        elif not isinstance(record, r.Segment):
            self._segments.violate(seq, "the first record of a file is no segment")

    def _take_genesis(self, seq: int, genesis: r.Genesis) -> None:
        expected = self._expected
        if self._lines:
            self._genesis.violate(seq, "a second genesis")
        elif genesis.format != r.FORMAT or genesis.schema != expected.schema:
            self._genesis.violate(seq, "its format or its vocabulary is not the one known here")
        elif genesis.origin != expected.origin:
            self._genesis.violate(seq, f"it begins the history of {genesis.origin}, not of {expected.origin}")

    def _take_segment(self, seq: int, segment: r.Segment) -> None:
        self._counted["segment"] += 1
        if self._lines == 0 or self._lines % self._expected.lines_in_file:
            self._segments.violate(seq, "a segment that does not begin a file")
        elif segment.revision != self._in_use.revision or segment.epochs != self._in_use.epochs:
            self._segments.violate(seq, "it names another revision or other databases than are in use")

    def _take_order(self, seq: int, order: r.OrderAccepted) -> None:
        self._accept(seq, "; ".join(order_problems(order)))
        self._in_use.rules[order.rule] = order_terms(order, self._in_use.revisions)
        self._look_for_persons(seq, order.authority_name, order.legal_basis, order.reference)

    def _take_policy(self, seq: int, policy: r.PolicyAccepted) -> None:
        self._accept(seq, "; ".join(policy_problems(policy)))
        self._in_use.rules[policy.rule] = policy_terms(policy, self._in_use.revisions)

    def _accept(self, seq: int, problems: str) -> None:
        self._counted["acceptance"] += 1
        if problems:
            self._orders.violate(seq, problems)

    def _take_lift(self, seq: int, lift: r.Lift) -> None:
        self._counted["lift"] += 1
        self._in_use.end(lift.rule, f"it was lifted by record {seq}")

    def _take_expiry(self, seq: int, expiry: r.Expiry) -> None:
        self._counted["expiry"] += 1
        self._in_use.end(expiry.rule, f"it had expired by record {seq}")

    def _take_rules(self, _: int, rules: r.Rules) -> None:
        self._in_use.use_rules(rules)

    def _take_database(self, seq: int, database: r.Database) -> None:
        self._counted["database"] += 1
        if not len(database.epochs) == len(database.types) == len(database.digests):
            self._databases.violate(seq, "it does not name an epoch, a type and a digest for each database")
        self._in_use.use_databases(database)

    def _take_restriction(self, seq: int, restriction: r.Restriction) -> None:
        if restriction.action is r.Restricts.EJECT:
            self._ejections.eject(seq)
        self._judgements.restrict(seq, restriction)

    def _take_window(self, _: int, window: r.Window) -> None:
        self._counted["doubt"] += sum(window.doubt.values())
        self._counted["shadowed"] += window.shadowed
        self._counted["unrecorded"] += window.unrecorded

    def _take_disclosure(self, seq: int, disclosure: r.Disclosure) -> None:
        self._counted["disclosure"] += 1
        self._counted["people"] += disclosure.people
        self._look_for_persons(seq, disclosure.legal_basis, disclosure.reference)

    def _take_correction(self, seq: int, correction: r.Correction) -> None:
        self._counted["correction"] += 1
        if correction.corrects >= seq:
            self._corrections.violate(seq, f"it corrects record {correction.corrects}, which is not before it")
        self._look_for_persons(seq, correction.explanation)

    def _take_heartbeat(self, seq: int, heartbeat: r.Heartbeat) -> None:
        """Its hour is all it says."""

    def _take_recovery(self, _: int, __: r.Recovery) -> None:
        self._counted["recovery"] += 1

    def _look_for_persons(self, seq: int, *texts: str) -> None:
        self._counted["text"] += len(texts)
        for text in texts:
            if (found := personal(text)) is not None:
                self._personal.violate(seq, f"a text of its holds {found}")

    def findings(self) -> tuple[Finding, ...]:
        """Conclude: every property, in an order that never changes."""
        if not self._lines:
            self._genesis.violate(None, "there is no record at all")
        counted = self._counted
        clock, gaps = self._hours.findings()
        return (
            self._genesis.finding("the history begins with its one genesis record, of a vocabulary known here"),
            self._sequence.finding(
                f"no record is missing, doubled or out of its place: {self._lines}", records=self._lines
            ),
            clock,
            self._segments.finding(
                f"every file but the first begins with a segment that says what is in use: {counted['segment']}",
                segments=counted["segment"],
            ),
            self._databases.finding(
                f"every change of databases names their epochs, types and digests: {counted['database']}",
                databases=counted["database"],
            ),
            self._orders.finding(
                "every order keeps to its authority's territory, to what was asked and to its longest time: "
                f"{counted['acceptance']} acceptances, {counted['lift']} lifts, {counted['expiry']} expiries",
                acceptances=counted["acceptance"],
                lifts=counted["lift"],
                expiries=counted["expiry"],
            ),
            *self._judgements.findings(counted["doubt"]),
            *self._never(),
            self._ejections.finding(),
            *self._counts(),
            gaps,
            self._personal.finding(
                f"no IP address and no mail address in any text: {counted['text']}", texts=counted["text"]
            ),
        )

    def _never(self) -> tuple[Finding, Finding]:
        """Return what no record can say: every line was read by a closed vocabulary, whose digest is in the first."""
        return (
            Property("meetings_ended").finding(
                "meetings ended: 0; no record can have a meeting as its object", ended=0
            ),
            Property("accounts_touched").finding(
                "accounts touched: 0; no record can have an account as its object", touched=0
            ),
        )

    def _counts(self) -> tuple[Finding, ...]:
        counted = self._counted
        return (
            Property("not_restricted").finding(
                f"not restricted because nothing could be recorded: {counted['unrecorded']}; "
                f"because the rule is in shadow: {counted['shadowed']}",
                unrecorded=counted["unrecorded"],
                shadowed=counted["shadowed"],
            ),
            self._corrections.finding(
                f"every correction names a record before it: {counted['correction']}",
                corrections=counted["correction"],
            ),
            Property("disclosures").finding(
                f"disclosures to authorities: {counted['disclosure']}, about {counted['people']} people",
                disclosures=counted["disclosure"],
                people=counted["people"],
            ),
            Property("recoveries").finding(
                f"unfinished ends of files that were set aside: {counted['recovery']}", recoveries=counted["recovery"]
            ),
        )
