"""The tabulation: a pure fold over the records of a ledger, from the first to the last, into exact counts.

Records before the period tell which orders stand; those in it are counted; those after it are passed over, but for
corrections of what was counted. The counts are not for publication: `report_publish` makes a report of them. Memory
grows with the rules, the meetings restricted and the hours, and not with the participants.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joingate.core import record as r
from joingate.core.audit_ejections import SeqSet
from joingate.core.model import Cause
from joingate.core.report import Dated, R
from joingate.core.report_distinct import Distinct
from joingate.core.report_period import Period, hour_number
from joingate.core.report_rules import HOST, NO_ORDER, RuleBook


@dataclass(slots=True)
class Counts:
    """Exact counts of one row.

    Attributes:
        unresolved: ejections with no outcome yet.
        still_present: ejections after which the meeting server still lists the participant.
        meetings: meetings in which anybody was restricted.
    """

    rejected: int = 0
    ejected: int = 0
    deferred: int = 0
    doubt: int = 0
    shadowed: int = 0
    unrecorded: int = 0
    unresolved: SeqSet = field(default_factory=SeqSet)
    still_present: SeqSet = field(default_factory=SeqSet)
    meetings: Distinct = field(default_factory=Distinct)

    @property
    def confirmed(self) -> int:
        """Ejections after which the participant is known to be gone."""
        return self.ejected - len(self.unresolved) - len(self.still_present)

    def any(self) -> bool:
        """Whether anything was counted."""
        return any((self.rejected, self.ejected, self.deferred, self.doubt, self.shadowed, self.unrecorded))


class Tabulation:
    """Everything that is counted.

    Attributes:
        origin: the ledger's.
        size: records taken.
        first_hour: of the first record; "" before there is one.
        last_hour: the latest there is.
        rules: orders and host policies.
        counts: of each row, by its number.
        rejected_on: participants rejected by orders, by day; `ejected_on` likewise.
        doubt: participants admitted in doubt, by cause.
        outside_territory: restrictions by an order outside its territory, or outside its authority's.
        outside_time: restrictions by an order outside its time.
        beats: hours that have a heartbeat, in the period, counted from the year 1.
        revisions: those put to use in the period, and the one in use before it; `databases` likewise.
    """

    def __init__(self, period: Period) -> None:
        self.period = period
        self.origin = ""
        self.size = 0
        self.first_hour = self.last_hour = ""
        self.rules = RuleBook(period)
        self.counts = [Counts(), Counts()]
        self.rejected_on: Counter[str] = Counter()
        self.ejected_on: Counter[str] = Counter()
        self.doubt: Counter[Cause] = Counter()
        self.outside_territory = self.outside_time = 0
        self.beats: set[int] = set()
        self.revisions: list[Dated[r.Rules]] = []
        self.databases: list[Dated[r.Database]] = []
        self.disclosures: list[Dated[r.Disclosure]] = []
        self.corrections: list[Dated[r.Correction]] = []
        self.recoveries: list[Dated[r.Recovery]] = []
        self._counted: tuple[int, int] | None = None
        self._hour, self._number = "", 0
        self._inside = self._over = False
        self._take: dict[type[r.Record], Callable[[int, Any], None]] = {
            r.Genesis: self._genesis,
            r.OrderAccepted: self._order,
            r.PolicyAccepted: lambda _, policy: self.rules.accept_policy(policy),
            r.Lift: lambda _, lift: self.rules.lift(lift.rule, self._hour),
            r.Expiry: lambda _, expiry: self.rules.expire(expiry.rule, self._hour),
            r.Rules: self._rules,
            r.Database: lambda seq, record: self._in_use(self.databases, seq, record),
            r.Restriction: self._restriction,
            r.Deferral: self._deferral,
            r.Outcome: self._outcome,
            r.Window: self._window,
            r.Disclosure: lambda seq, record: self._list(self.disclosures, seq, record),
            r.Recovery: lambda seq, record: self._list(self.recoveries, seq, record),
            r.Heartbeat: self._heartbeat,
        }

    def add(self, entry: r.Entry) -> None:
        """Take the next record.

        Raises:
            ValueError: its hour is in no calendar.
        """
        if entry.hour != self._hour:
            self._turn(entry.hour)
        self.size += 1
        if type(entry.record) is r.Correction:
            self._correction(entry.seq, entry.record)
        if self._over:
            return
        if self._inside:
            self._counted = (entry.seq if self._counted is None else self._counted[0], entry.seq)
        if (take := self._take.get(type(entry.record))) is not None:
            take(entry.seq, entry.record)

    def _turn(self, hour: str) -> None:
        self._number = hour_number(hour)
        self._hour = hour
        self._inside, self._over = self.period.covers(hour), self.period.is_over(hour)
        self.first_hour = self.first_hour or hour
        self.last_hour = max(self.last_hour, hour)

    def _genesis(self, _: int, record: r.Genesis) -> None:
        self.origin = record.origin

    def _order(self, _: int, record: r.OrderAccepted) -> None:
        self.rules.accept(record, self._hour)
        self.counts += [Counts() for _ in self.rules.rows[len(self.counts) :]]

    def _rules(self, seq: int, record: r.Rules) -> None:
        self.rules.use()
        self._in_use(self.revisions, seq, record)

    def _in_use(self, used: list[Dated[R]], seq: int, record: R) -> None:
        """List what is in use from here on; of what was in use before the period, only the last."""
        if used and not self._inside and not self.period.covers(used[-1].hour):
            used.clear()
        used.append(Dated(seq, self._hour, record))

    def _list(self, listed: list[Dated[R]], seq: int, record: R) -> None:
        if self._inside:
            listed.append(Dated(seq, self._hour, record))

    def _correction(self, seq: int, record: r.Correction) -> None:
        """List it if it was made in the period, or is one of a record that was."""
        first, last = self._counted or (0, -1)
        if self._inside or first <= record.corrects <= last:
            self.corrections.append(Dated(seq, self._hour, record))

    def _restriction(self, seq: int, record: r.Restriction) -> None:
        if not self._inside:
            return
        row, day = HOST, self._hour[:10]
        ejected = record.action is r.Restricts.EJECT
        if record.basis is r.Basis.ORDER:
            row, outside_territory, outside_time = self.rules.judge(
                record.rule, record.located_as, self._number, ejected=ejected
            )
            self.outside_territory += outside_territory
            self.outside_time += outside_time
            (self.ejected_on if ejected else self.rejected_on)[day] += 1
        counts = self.counts[row]
        counts.meetings.add(record.meeting)
        if ejected:
            counts.ejected += 1
            counts.unresolved.add(seq)
        else:
            counts.rejected += 1

    def _deferral(self, _: int, record: r.Deferral) -> None:
        if self._inside:
            row = HOST if record.basis is r.Basis.HOST_POLICY else self._row_of_order(record.rule)
            self.counts[row].deferred += 1

    def _row_of_order(self, rule: str) -> int:
        row = self.rules.row_of(rule)
        return NO_ORDER if row == HOST else row

    def _outcome(self, _: int, record: r.Outcome) -> None:
        for ejection in record.restrictions:
            for counts in self.counts:
                if ejection in counts.unresolved or ejection in counts.still_present:
                    counts.unresolved.discard(ejection)
                    counts.still_present.discard(ejection)
                    if record.ending is r.Ending.STILL_PRESENT:
                        counts.still_present.add(ejection)
                    break

    def _window(self, _: int, record: r.Window) -> None:
        if not self._inside:
            return
        row = self.rules.row_of(record.rule)
        counts = self.counts[row]
        counts.shadowed += record.shadowed
        counts.unrecorded += record.unrecorded
        if row != HOST:  # a host says what becomes of doubt: it is nobody's benefit
            self.doubt.update(record.doubt)
            counts.doubt += sum(record.doubt.values())

    def _heartbeat(self, _seq: int, _record: r.Heartbeat) -> None:
        if self._inside:
            self.beats.add(self._number)
