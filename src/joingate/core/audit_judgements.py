"""Every restriction and deferral, held against what was in use when it was recorded: rule, revision and databases."""

from dataclasses import dataclass
from typing import Final

from joingate.core.audit_findings import Finding, Property
from joingate.core.audit_hours import Hours
from joingate.core.audit_rules import Terms
from joingate.core.location import UNKNOWN_PLACE
from joingate.core.record import Basis, Database, Deferral, Restriction, Restricts, Rules, Told

_DAY: Final = 86_400
_NAMED: Final = 5
_CALLED: Final = {Basis.ORDER: "order", Basis.HOST_POLICY: "host policy"}


class InUse:
    """What is in use after the records so far.

    Attributes:
        rules: every rule ever accepted, as it was accepted last, by its id; ended or not.
        revision: of the last `rules` record, or "".
        revisions: how many of these there were.
        epochs: of the databases in use.
        overrides: how many networks the operator places otherwise than the databases do.
        stale_after: POSIX seconds after which the databases are not believed; None where that never comes.
    """

    __slots__ = ("epochs", "overrides", "revision", "revisions", "rules", "stale_after")

    def __init__(self) -> None:
        self.rules: dict[str, Terms] = {}
        self.revision = ""
        self.revisions = 0
        self.epochs: tuple[int, ...] = ()
        self.overrides = 0
        self.stale_after: int | None = None

    def use_rules(self, rules: Rules) -> None:
        """Judge by another revision."""
        self.revision = rules.revision
        self.revisions += 1

    def use_databases(self, database: Database) -> None:
        """Locate by other databases."""
        self.epochs = database.epochs
        self.overrides = database.overrides
        days = database.max_age_days
        self.stale_after = min(database.epochs) + days * _DAY if days else None

    def end(self, rule: str, how: str) -> None:
        """Note that a rule has ended, in words; one that was never accepted restricts nobody anyway."""
        if (terms := self.rules.get(rule)) is not None:
            terms.ended = how


@dataclass(frozen=True, slots=True)
class _Properties:
    """Where the violations of one kind of judgement are noted."""

    rules: Property
    territory: Property
    host_policies: Property
    doubt: Property
    databases: Property
    reach: Property


class Judgements:
    """Counts restrictions and deferrals, and notes what is wrong with them."""

    def __init__(self, in_use: InUse, hours: Hours) -> None:
        self._in_use = in_use
        self._hours = hours
        self._restricting = _Properties(
            *map(Property, ("rules", "territory", "host_policies", "doubt", "databases", "reach"))
        )
        self._deferrals = Property("deferrals")
        self._deferring = _Properties(*(self._deferrals,) * 6)
        self._told = Property("told")
        self._restricted = dict.fromkeys(Basis, 0)
        self._told_by = dict.fromkeys(Told, 0)
        self._deferred = 0

    def restrict(self, seq: int, restriction: Restriction) -> None:
        """Judge a restriction."""
        self._restricted[restriction.basis] += 1
        self._told_by[restriction.told] += 1
        ejected = restriction.action is Restricts.EJECT
        if restriction.told is Told.NOT and not ejected:
            self._told.violate(seq, "rejected at a join, and not told")
        self._judge(seq, restriction, self._restricting, ejected=ejected)

    def defer(self, seq: int, deferral: Deferral) -> None:
        """Judge a deferral: an ejection that would have been right."""
        self._deferred += 1
        self._judge(seq, deferral, self._deferring, ejected=True)

    def _judge(self, seq: int, record: Restriction | Deferral, to: _Properties, *, ejected: bool) -> None:
        terms = self._in_use.rules.get(record.rule)
        in_place = to.territory if record.basis is Basis.ORDER else to.host_policies
        if terms is None or terms.basis is not record.basis:
            reason = f"no {_CALLED[record.basis]} {record.rule} was accepted before it"
            to.rules.violate(seq, reason)
            in_place.violate(seq, reason)
        else:
            if (refusal := self._refusal(record, terms)) is not None:
                to.rules.violate(seq, refusal)
            if not terms.means(record.located_as, ejected=ejected):
                in_place.violate(seq, _beyond(record, terms))
            if terms.doubts(record.located_as):
                to.doubt.violate(
                    seq, f"located as {record.located_as}: nobody can tell if {record.rule} is for that place"
                )
            if terms.shadow:
                to.reach.violate(seq, f"{record.rule} is in shadow")
            elif ejected and not terms.ejects:
                to.reach.violate(seq, f"{record.rule} only rejects, and somebody inside was ejected")
        self._judge_sources(seq, record, to)

    def _refusal(self, record: Restriction | Deferral, terms: Terms) -> str | None:
        """Say why the rule could not be applied."""
        if record.revision != self._in_use.revision:
            return f"revision {record.revision} was not in use"
        for refusal in terms.refusals(self._hours.start, self._in_use.revisions):
            return f"{record.rule}: {refusal}"
        return None

    def _judge_sources(self, seq: int, record: Restriction | Deferral, to: _Properties) -> None:
        """Judge on whose word the place rests: that of every database in use, or of one override."""
        in_use, sources = self._in_use, record.sources
        if record.epochs != in_use.epochs:
            to.databases.violate(seq, f"databases {list(record.epochs)} were not in use")
        if record.located_as == UNKNOWN_PLACE:
            if sources:
                to.doubt.violate(seq, f"located by {sources} sources, as unknown")
            return
        if sources == 1 and in_use.overrides:
            return  # an override may have said it; no database need agree, and it does not age
        if sources != len(in_use.epochs):
            to.doubt.violate(seq, f"located by {sources} sources, and {len(in_use.epochs)} databases were in use")
        if in_use.stale_after is not None and (self._hours.start or 0) > in_use.stale_after:
            to.databases.violate(seq, "its databases were older than they may be")

    def findings(self, doubt_admitted: int) -> tuple[Finding, ...]:
        """Conclude.

        Args:
            doubt_admitted: participants whom an order might have meant, and who were admitted.
        """
        to = self._restricting
        orders, policies = self._restricted[Basis.ORDER], self._restricted[Basis.HOST_POLICY]
        every = orders + policies
        by = self._told_by
        return (
            to.rules.finding(
                f"restricted without a rule accepted before it, in use and in force: {to.rules.violated} of {every}",
                restrictions=every,
            ),
            to.territory.finding(
                f"restricted outside the order's territory: {to.territory.violated} of {orders}", restrictions=orders
            ),
            to.host_policies.finding(
                f"restricted against the words of a host policy: {to.host_policies.violated} of {policies}",
                restrictions=policies,
            ),
            to.doubt.finding(
                f"restricted in doubt, or on the word of fewer databases than there are: {to.doubt.violated} of "
                f"{every}; admitted in doubt: {doubt_admitted}",
                restrictions=every,
                admitted=doubt_admitted,
            ),
            to.databases.finding(
                f"restricted by databases that were not in use, or too old: {to.databases.violated} of {every}",
                restrictions=every,
            ),
            to.reach.finding(
                f"restricted by a rule in shadow, or ejected by one that only rejects: {to.reach.violated} of {every}",
                restrictions=every,
            ),
            self._told.finding(
                f"everybody restricted was told: {by[Told.HTTP]} by HTTP, {by[Told.CLOSE]} by a Close frame, "
                f"{by[Told.IN_BAND]} by a message of the meeting server's kind; {by[Told.NOT]} were cut off in the "
                "middle of an answer, which cannot say why",
                http=by[Told.HTTP],
                close=by[Told.CLOSE],
                in_band=by[Told.IN_BAND],
                not_told=by[Told.NOT],
            ),
            self._deferrals.finding(
                f"every deferral puts off what would have been right: {self._deferred}", deferrals=self._deferred
            ),
        )


def _beyond(record: Restriction | Deferral, terms: Terms) -> str:
    codes = sorted(terms.territory)
    named = ", ".join(codes[:_NAMED]) + (", ..." if len(codes) > _NAMED else "")
    verb = "is for" if terms.basis is Basis.ORDER else "allows" if terms.allows else "denies"
    return f"located as {record.located_as}, and {record.rule} {verb} {named}"
