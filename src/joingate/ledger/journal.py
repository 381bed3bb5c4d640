"""What the gate records to: restrictions before they are carried out, and everything else a ledger tells.

No log, no block. When an append fails, `record` says so and the gate admits; `problem` says why, loudly, and the
journal tries again every second until the ledger takes records. Then the counts of what was not done are written, and
whoever is inside is judged anew. Nothing but the append itself happens between a decision and its being carried out:
the bytes are given to the kernel, so they outlive a killed process, and forced to the disk five times a second.

The file is long because restrictions, what has to stand before them and what is mended later are one order of records:
each must know what the other two still owe the ledger.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from joingate.codecs.ledger_rules import Declaration, declare
from joingate.codecs.meeting_commitment import meeting_commitment, salt_of
from joingate.codecs.moment import utc_hour
from joingate.core.decision import Decision
from joingate.core.errors import RefusedInputError
from joingate.core.location import located_as
from joingate.core.model import Location, Verdict
from joingate.core.receipt import Receipt
from joingate.core.record import (
    Basis,
    Database,
    Deferral,
    Ending,
    Expiry,
    Heartbeat,
    Outcome,
    Record,
    Restriction,
    Restricts,
)
from joingate.core.recording import Recorded, Restricting
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order, Rule, codes_of
from joingate.ledger.history import History, LedgerUnavailableError, OvertakenError
from joingate.ledger.position import seqs
from joingate.ledger.receipts import Receipts
from joingate.ledger.role import EXPIRY_DELAY, Role
from joingate.ledger.windows import Windows

_log = logging.getLogger("joingate")

SYNC_SECONDS: Final = 0.2
"""Between two times that appended records are forced to the disk; as PostgreSQL's wal_writer_delay."""

RETRY_SECONDS: Final = 1.0
_AHEAD: Final = 64  # rules accepted in one go while a reload is under way: a millisecond or two
_MOST_OUTCOMES: Final = 1024  # in one record, as ledger_schema has it


class Journal:
    """See the module. It is a core.recording.Recorder; everything but `declare` happens on the event loop.

    Attributes:
        problem: why nothing is restricted at present; None while the ledger takes records.
        unrecorded: restrictions that were not carried out because of that, since the start.
        overtaken: asked with the revision and the epochs that another process has put in use before this one, when a
            record still rests on older ones; where it answers True, this one goes by the newer now, and whatever was
            to be recorded is judged again.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time, role: Role = Role.ALONE) -> None:
        """Keep the ledger in `folder`, by the clock `now` in POSIX seconds; `open` opens it."""
        self.overtaken: Callable[[str, tuple[int, ...]], bool] = lambda _revision, _epochs: False
        self._role = role
        self.problem: str | None = None
        self.unrecorded = 0
        self._folder = folder
        self._now = now
        self._history: History | None = None
        self._windows = Windows()
        self._endings: list[tuple[Ending, int]] = []
        self._beat_hour = -1
        # What the ledger holds of rules and databases, and what it has still to be told before the next restriction.
        self._digests: Mapping[str, str] = {}
        self._catch_ups = 0
        self._expired: set[str] = set()
        self._told_over: set[str] = set()
        self._latest = 0.0  # what ended before that is on record as over; of an hour, its beginning
        self._closes: list[tuple[float, str]] = []
        self._revision = ""
        self._epochs: tuple[int, ...] = ()
        self._told: tuple[str, tuple[int, ...]] = ("", ())
        self._rules: RuleSet | None = None
        self._rules_due: Declaration | None = None
        self._database: Database | None = None
        self._database_due: Database | None = None
        self._must_recover = False
        self._logged: str | None = None
        self._stopping = asyncio.Event()
        self._commit: Callable[[str, str], str]
        self._receipts: Receipts

    def open(self) -> None:
        """Open the ledger, or begin one. One that cannot be written for now is a `problem`, and is tried again.

        Raises:
            RefusedInputError: with what a person must mend.
        """
        try:
            self._opened(History.open(self._folder, self._hour()))
        except LedgerUnavailableError as error:
            self._failed(error)

    def _opened(self, history: History) -> None:
        self._history = history
        if self._role is Role.FOLLOWER:
            self._told = (self._revision, self._epochs)  # should that not hold, the first record finds out
        else:
            self._catch_up(history)
        self._receipts = Receipts(history)
        self._commit = lru_cache(maxsize=4096)(
            lambda rule, meeting: meeting_commitment(salt_of(history.commitment_key, rule, meeting), meeting)
        )

    def _catch_up(self, history: History) -> None:
        """Take what the history holds, from this process or another, for what it has been told."""
        self._catch_ups += 1
        self._digests, self._expired = history.accepted()
        self._told = (history.revision, history.epochs)

    # Rules and databases

    def declare(self, rules: RuleSet) -> Declaration:
        """Say what is new in `rules`; takes long for many, and may be called in a thread."""
        return declare(rules, self._digests, frozenset(self._expired))

    async def declare_ahead(self, rules: RuleSet) -> Declaration:
        """Say what is new in `rules`, and write all but a little of it already, between everybody's messages."""
        declaration = await asyncio.to_thread(self.declare, rules)
        new, written, catch_ups = declaration.new, 0, self._catch_ups
        while len(new) - written > _AHEAD and self._write(list(new[written : written + _AHEAD])) is not None:
            written += _AHEAD
            await asyncio.sleep(0)
        if catch_ups != self._catch_ups:  # another gate has said what it goes by
            return await asyncio.to_thread(self.declare, rules)
        return replace(declaration, new=new[written:])

    def use_rules(self, rules: RuleSet, declaration: Declaration) -> None:
        """Record by `rules` from now on; what is new in them is written first."""
        before, self._rules = self._rules, rules
        if before is not None and before.revision == rules.revision:
            return
        self._revision = rules.revision
        self._rules_due = declaration
        self._write([])

    def use_databases(self, database: Database) -> None:
        """Record by these databases from now on; they are written first."""
        if database == self._database:
            return
        self._epochs = database.epochs
        self._database = self._database_due = database
        self._write([])

    def follow_rules(self, rules: RuleSet) -> None:
        """Record by `rules` from now on; the leader has declared them."""
        self._rules, self._rules_due = rules, None
        self._revision = rules.revision
        self._told = (self._revision, self._told[1])

    def follow_databases(self, database: Database) -> None:
        """Record by these databases from now on; the leader has declared them."""
        self._database, self._database_due = database, None
        self._epochs = database.epochs
        self._told = (self._told[0], self._epochs)

    # Restrictions (core.recording.Recorder)

    def record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:
        """Record all of them, or none (Recorder)."""
        try:
            return self._record(restricting, now)
        except Exception as error:  # noqa: BLE001 - logged whole, and the participant is admitted
            _log.exception("defect: a restriction could not be recorded")
            self._failed(error)
            return None

    def _record(self, restricting: Sequence[Restricting], now: float) -> Sequence[Recorded] | None:
        if self.problem is None and not any(self._has_ended(each.decision.rule) for each in restricting):
            hour = self._hour_number()
            receipts = [self._receipts.draw(hour) for _ in restricting]
            try:
                written = self._write([self._record_of(*each) for each in zip(restricting, receipts, strict=True)], now)
            except OvertakenError:
                return None  # and nothing is lost: they are judged again
            if written is not None:
                return [Recorded(*each) for each in zip(written, receipts, strict=True)]
        self.unrecorded += len(restricting)
        return None

    def _has_ended(self, rule: Rule | None) -> bool:
        """Whether an order's end is on record: a clock that is set back does not bring it back to life."""
        if not isinstance(rule, Order) or (rule.id not in self._expired and rule.closes > self._latest):
            return False
        if rule.id not in self._told_over:
            self._told_over.add(rule.id)
            _log.error(
                "ledger: order %s is over by the record, and the clock was set back since; it restricts nobody; "
                "if it is to go on, give it a new id",
                rule.id,
            )
        return True

    def _record_of(self, restricting: Restricting, receipt: Receipt) -> Restriction | Deferral:
        decision, location, meeting, told = restricting
        rule = decision.rule
        if rule is None:
            raise ValueError(f"there is nothing to record of a verdict of {decision.verdict}")
        where = located_as(location, codes_of(rule))
        basis = Basis.ORDER if isinstance(rule, Order) else Basis.HOST_POLICY
        committed = self._commit(rule.id, meeting)
        if decision.verdict is Verdict.DEFER:
            return Deferral(basis, rule.id, self._revision, self._epochs, where, location.sources, committed)
        return Restriction(
            Restricts.EJECT if decision.verdict is Verdict.EJECT else Restricts.REJECT,
            *(basis, rule.id, self._revision, self._epochs, where, location.sources),
            *(told, committed, receipt.commitment),
        )

    def count(self, decision: Decision, location: Location) -> None:
        """Count an admission in doubt, in shadow or for want of a record (Recorder)."""
        self._windows.count(decision, location)

    def confirm(self, seq: int) -> None:
        """Note that the participant ejected under record `seq` is gone (Recorder)."""
        self._endings.append((Ending.CONFIRMED, seq))

    def still_present(self, seq: int) -> None:
        """Note that the meeting server still has the participant ejected under record `seq` (Recorder)."""
        self._endings.append((Ending.STILL_PRESENT, seq))

    # Writing

    def _write(self, records: list[Record], now: float | None = None) -> list[int] | None:
        """Append `records` behind what has to stand before them; return their seqs, or None if they are not written.

        Raises:
            OvertakenError: this process goes by other rules or databases now; see `overtaken`.
        """
        if self.problem is not None or self._history is None:
            return None
        now = self._now() if now is None else now
        if self._role is Role.FOLLOWER:  # the leader tells the ends; this one knows by the clock that they were told
            self._latest = max(self._latest, now - EXPIRY_DELAY)
        before = self._due(now)
        if not before and not records:
            return []
        hour = utc_hour(int(now // 3600))
        try:
            try:
                first = self._history.append([*before, *records], hour, self._told)
            except OvertakenError:
                if self.overtaken(self._history.revision, self._history.epochs):
                    raise
                # Another gate on this ledger: say first what this one goes by.
                self._catch_up(self._history)
                self._database_due = self._database
                self._rules_due = None if self._rules is None else self.declare(self._rules)
                before = self._due(now)
                first = self._history.append([*before, *records], hour)
        except LedgerUnavailableError as error:
            self._failed(error)
            return None
        self._latest = max(self._latest, now // 3600 * 3600)
        if before:
            self._declared(now)
        return list(seqs(first, len(before) + len(records)))[len(before) :]

    def _due(self, now: float) -> list[Record]:
        """Return what has to stand in the ledger before anything else, in its order."""
        due: list[Record] = [] if self._database_due is None else [self._database_due]
        for closes, rule in reversed(self._closes):  # the next to end is the last: most appends look at it alone
            if not self._role.tells_end(closes, now):
                break
            due.append(Expiry(rule))
        if self._rules_due is not None:
            due += [*self._rules_due.new, *self._rules_due.records]
        return due

    def _declared(self, now: float) -> None:
        """Note that all that was due is written."""
        self._told = (
            self._told[0] if self._rules_due is None else self._revision,
            self._told[1] if self._database_due is None else self._epochs,
        )
        self._database_due = None
        while self._closes and self._role.tells_end(self._closes[-1][0], now):
            self._expired.add(self._closes.pop()[1])
        if (declared := self._rules_due) is not None:
            before, self._digests = self._digests, declared.digests
            self._expired = {rule for rule in self._expired if before.get(rule) == declared.digests.get(rule, ...)}
            expired = self._expired
            self._closes = (
                [each for each in declared.closes if each[1] not in expired] if expired else [*declared.closes]
            )
            self._rules_due = None

    def _failed(self, error: Exception) -> None:
        self.problem = str(error)
        if self.problem != self._logged:
            _log.error("ledger: %s; nobody is restricted until it can be written", self.problem)
            self._logged = self.problem

    def _hour_number(self) -> int:
        return int(self._now() // 3600)

    def _hour(self) -> str:
        return utc_hour(self._hour_number())

    # The background

    async def keep(self, recovered: Callable[[], Awaitable[object]]) -> None:
        """Force records to the disk, write what is counted by the hour, and mend what can be; until `stop`.

        Args:
            recovered: called whenever the ledger takes records again.
        """
        while not await self._is_over():
            if self.problem is None:
                self._write_counted(hourly=self._hour_number() != self._beat_hour)
                await self._sync()
            else:
                await self._retry(recovered)
        while self.problem is None and self._endings:
            self._write_counted(hourly=False)
        self._write_counted(hourly=bool(self._windows))
        await self._sync()
        if self._history is not None:
            self._history.close()

    def stop(self) -> None:
        """Let `keep` write what is counted, sign a last checkpoint and end."""
        self._stopping.set()

    async def _is_over(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SYNC_SECONDS if self.problem is None else RETRY_SECONDS):
                return await self._stopping.wait()
        return False

    def _write_counted(self, *, hourly: bool) -> bool:
        """Write what became of ejections and, `hourly`, the counts and a sign of life; return whether it is written."""
        endings = self._endings[:_MOST_OUTCOMES]
        records: list[Record] = [
            Outcome(ending, tuple(seq for _, seq in run)) for ending, run in groupby(endings, key=itemgetter(0))
        ]
        if hourly:
            records += self._windows.records()
            if self._role is not Role.FOLLOWER:
                records.append(Heartbeat())
        try:
            if self._write(records) is None:
                return False
        except OvertakenError:
            return False  # the next time
        del self._endings[: len(endings)]
        if hourly:
            self._windows.clear()
            self._beat_hour = self._hour_number()
        return True

    async def _sync(self) -> None:
        history = self._history
        captured = None if history is None else history.capture()
        if history is None or captured is None:
            return
        try:
            await asyncio.to_thread(history.make_durable, captured)
        except LedgerUnavailableError as error:
            self._must_recover = True
            self._failed(error)

    async def _retry(self, recovered: Callable[[], Awaitable[object]]) -> None:
        try:
            if self._history is None:
                self._opened(await asyncio.to_thread(History.open, self._folder, self._hour()))
                while (rules := self._rules) is not None and self._role is not Role.FOLLOWER:
                    due = await asyncio.to_thread(self.declare, rules)
                    if rules is self._rules:  # and no reload came between
                        self._rules_due = due
                        break
            elif self._must_recover:
                await asyncio.to_thread(self._history.recover)
                self._must_recover = False
        except (LedgerUnavailableError, RefusedInputError) as error:
            self._failed(error)
            return
        self.problem = None
        if self._write_counted(hourly=True):
            self._logged = None
            _log.warning("ledger: takes records again; %d restrictions were not carried out so far", self.unrecorded)
            await recovered()

    def summary(self) -> dict[str, Any]:
        """Return the ledger's state, ready for JSON."""
        history = self._history
        return {
            "path": str(self._folder),
            "origin": None if history is None else history.origin,
            "records": 0 if history is None else history.size,
            "problem": self.problem,
            "unrecorded": self.unrecorded,
        }
