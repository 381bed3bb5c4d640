"""Histories drawn by Hypothesis: what a gate might have written, judging by the rules themselves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from joingate.codecs.ledger_rules import acceptance
from joingate.core import record as r
from joingate.core.location import located_as, place
from joingate.core.model import UNKNOWN, Cause, Location
from joingate.core.rules import Action, HostPolicy, Match, Order, Rule, codes_of
from tests.ledger_histories import HOUR, NOON, Story, a_policy, an_order

_PLACES = (
    *(place("CN"), place("CN"), place("CN", "CN-GD"), place("HK"), place("CN", "CN-HK")),
    *(place("UA", "UA-43"), place("UA", "UA-30"), place("UA"), place("DE"), place("DE"), place("FR")),
    *(UNKNOWN[Cause.NOT_FOUND], UNKNOWN[Cause.SOURCES_DISAGREE]),
)
_in_shadow = st.sampled_from((False, False, False, True))
_TERRITORIES = st.sampled_from((frozenset(("CN",)), frozenset(("CN", "UA-43")), frozenset(("UA-43",))))


def _orders(rule: str) -> st.SearchStrategy[Order]:
    return st.builds(
        an_order,
        st.just(rule),
        territory=_TERRITORIES,
        action=st.sampled_from(Action),
        opens=st.integers(-9, 1).map(lambda hours: float(NOON + hours * HOUR - 1800)),
        closes=st.integers(2, 30).map(lambda hours: float(NOON + hours * HOUR + 60)),
        shadow=_in_shadow,
    )


_policies = st.builds(
    lambda listed, allows, **fields: a_policy(
        "h-1", allow=listed if allows else None, deny=None if allows else listed, **fields
    ),
    st.sampled_from((frozenset(("DE", "UA-43")), frozenset(("CN",)), frozenset(("CN", "DE", "FR", "UA", "US-NJ")))),
    st.booleans(),
    action=st.sampled_from(Action),
    reject_unknown=st.booleans(),
    shadow=_in_shadow,
)
_rules: st.SearchStrategy[Rule] = st.one_of(_orders("o-1"), _orders("o-2"), _policies)
_rule_sets = st.lists(_rules, max_size=3, unique_by=lambda rule: rule.id)
_databases = st.builds(
    r.Database,
    epochs=st.lists(st.integers(NOON - 86_400, NOON), min_size=1, max_size=2).map(tuple),
    types=st.just(()),
    digests=st.just(()),
    overrides=st.integers(0, 1),
    max_age_days=st.sampled_from((0, 1, 60)),
).map(lambda made: replace(made, types=("T",) * len(made.epochs), digests=("c" * 16,) * len(made.epochs)))
_ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "wait": st.integers(0, 2 * HOUR),
    "reload": _rule_sets,
    "swap": _databases,
    **dict.fromkeys(("join", "inside", "put_off"), st.sampled_from(_PLACES)),
    "resolve": st.tuples(st.integers(0, 2), st.sampled_from(r.Ending)),
    "tell": st.sampled_from(
        (
            r.Heartbeat(),
            r.Window("o-1", {Cause.STALE: 2}, 1, 1),
            r.Disclosure("cac", r.Subject.OTHER, 2, "Law, article 1", "ref"),
            r.Correction(0, r.Mistake.CLERICAL, "a misprint"),
            r.Recovery(1, "3" * 64),
        )
    ),
}
_steps = st.sampled_from(
    "wait wait reload swap tell put_off resolve resolve inside inside join join join".split()
).flatmap(lambda name: st.tuples(st.just(name), _ARGUMENTS[name]))


class _Gate:
    """Writes what a gate would, judging by the rules themselves."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.rules: dict[str, Rule] = {}
        self.expired: set[str] = set()
        self.ejected: list[int] = []
        self.revisions = 0

    def wait(self, seconds: int) -> None:
        self.story.now += seconds
        for rule in self.rules.values():
            if isinstance(rule, Order) and rule.closes <= self.story.now and rule.id not in self.expired:
                self.story.write(r.Expiry(rule.id))
                self.expired.add(rule.id)

    def reload(self, rules: Sequence[Rule]) -> None:
        new = {rule.id: rule for rule in rules}
        for rule in rules:
            if self.rules.get(rule.id) != rule:
                self.story.write(acceptance(rule))
                self.expired.discard(rule.id)
        for gone in self.rules.keys() - new.keys() - self.expired:
            self.story.write(r.Lift(gone))
        self.rules = new
        self.revisions += 1
        orders = sum(isinstance(rule, Order) for rule in rules)
        self.story.write(r.Rules(f"{self.revisions:016x}", orders, len(rules) - orders))
        self.wait(0)

    def swap(self, databases: r.Database) -> None:
        self.story.write(databases)

    def tell(self, record: r.Record) -> None:
        self.story.write(record)

    def resolve(self, what: tuple[int, r.Ending]) -> None:
        at, ending = what
        if at < len(self.ejected):
            self.story.write(r.Outcome(ending, (self.ejected[at],)))
            if ending is r.Ending.CONFIRMED:
                del self.ejected[at]

    def join(self, location: Location) -> None:
        if (found := self._restricting(location, inside=False)) is not None:
            rule, where = found
            self.story.restrict(rule, where, sources=self._sources(where))

    def inside(self, location: Location) -> None:
        if (found := self._restricting(location, inside=True)) is not None:
            rule, where = found
            told, sources = r.Told.NOT, self._sources(where)
            self.ejected.append(
                self.story.restrict(rule, where, action=r.Restricts.EJECT, told=told, sources=sources),
            )

    def put_off(self, location: Location) -> None:
        if (found := self._restricting(location, inside=True)) is not None:
            rule, where = found
            basis = r.Basis.ORDER if isinstance(rule, Order) else r.Basis.HOST_POLICY
            epochs, sources = self.story.databases.epochs, self._sources(where)
            self.story.write(
                r.Deferral(basis, rule.id, self.story.revision, epochs, where, sources, "4" * 64),
            )

    def _sources(self, where: str) -> int:
        if where == "unknown":
            return 0
        return 1 if self.story.databases.overrides else len(self.story.databases.epochs)

    def _restricting(self, location: Location, *, inside: bool) -> tuple[Rule, str] | None:
        databases, now = self.story.databases, self.story.now
        is_stale = databases.max_age_days and now > min(databases.epochs) + databases.max_age_days * 86_400
        if is_stale and not databases.overrides:
            return None
        for rule in self.rules.values():
            match = rule.match(location)
            in_doubt = match is Match.DOUBT and isinstance(rule, HostPolicy) and rule.reject_unknown and not inside
            if rule.shadow or not rule.in_force(now) or (inside and rule.action is not Action.EJECT):
                continue
            if match is Match.YES or in_doubt:
                return rule, located_as(location, codes_of(rule))
        return None


@st.composite
def histories(draw: st.DrawFn) -> Story:
    """What a gate might have written: every restriction by a rule that meant somebody there, then."""
    story = Story()
    gate = _Gate(story)
    gate.swap(draw(_databases))
    gate.reload([draw(_orders("o-1")), *draw(st.lists(_policies, max_size=1))])
    for name, argument in draw(st.lists(_steps, min_size=20, max_size=60)):
        getattr(gate, name)(argument)
    return story
