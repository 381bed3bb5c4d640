"""The rules of a soak: kept as objects of the core, written as an operator writes them, changed at random.

The gate reads the text; the oracle goes by the objects. That both mean the same is seen by their revision.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson

from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Authority, HostPolicy, Order, Rule
from joingate.core.territory import Territory

MEETINGS = (*(f"m-{at:02}" for at in range(16)), *(f"all-hands-{at}" for at in range(4)))
QUIET = ("quiet-0", "quiet-1")
"""Meetings that no rule ever names: whoever is inside stays for the whole run."""

AUTHORITIES = {
    authority.id: authority
    for authority in (
        Authority("cac", "Cyberspace Administration of China", "regulator", frozenset(("CN",))),
        Authority("court", "Tribunal of three countries (made up)", "judicial", frozenset(("DE", "FR", "CH"))),
        Authority("office-ua", "Office for Sanctions of Ukraine (made up)", "executive", frozenset(("UA",))),
        Authority("agency", "Agency for Examples (made up)", "regulator", frozenset(("SG", "MY", "KR"))),
    )
}
_PARTS: dict[str, tuple[str, ...]] = {"UA": ("UA-43", "UA-30")}
_DENIED = ("DE", "FR", "US", "HK", "SG", "KR", "UA", "BR")
_ORDERS = tuple(f"order-{at}" for at in range(10))
_POLICIES = tuple(f"policy-{at}" for at in range(4))
NAMED = 6  # meetings that a rule names
_SHORT = (20, 40)  # seconds that an opening window is open for
_AHEAD = 2  # seconds from now to the opening of a window


class Rulebook:
    """What the rule files say at present.

    Attributes:
        rules: by id. Ids come again, so that what the gate keeps by id is bounded.
    """

    def __init__(self, drawn: random.Random, now: float) -> None:
        """Begin with two orders and a host policy."""
        self._drawn = drawn
        self.rules: dict[str, Rule] = {}
        for come in (self.order_comes, self.order_comes, self.policy_comes):
            come(now)

    def rule_set(self) -> RuleSet:
        """Return the rules as the gate must understand them."""
        return RuleSet(self.rules.values())

    def text(self) -> str:
        """Return the rule file."""
        return "\n".join(_order(rule) if isinstance(rule, Order) else _policy(rule) for rule in self.rules.values())

    # Changes; each returns whether there was anything to change

    def order_comes(self, now: float) -> bool:
        """Add an order that is in force, for some weeks."""
        return self._add(now, now - 3600, now + 86_400 * self._drawn.randint(1, 60)) is not None

    def window_comes(self, now: float) -> bool:
        """Add an order whose window opens in a moment, and closes again; so wide that somebody inside is meant."""
        opens = now + _AHEAD
        added = self._add(now, opens, opens + self._drawn.randint(*_SHORT))
        if added is None:
            return False
        wide = replace(added, territory=added.authority.territory, action=Action.EJECT, shadow=False)
        self.rules[added.id] = wide
        return True

    def order_ends(self, now: float) -> bool:
        """Lift an order, or let go of one that has ended."""
        return self._remove(rule.id for rule in self.rules.values() if isinstance(rule, Order) and rule.opens < now)

    def order_widens(self, now: float) -> bool:
        """Let an order mean more: all of its authority's territory, and two more meetings."""
        if (order := self._choose_order(now)) is None:
            return False
        meetings = tuple(dict.fromkeys((*order.meetings, *self._drawn.sample(MEETINGS, 2))))
        self.rules[order.id] = replace(order, territory=order.authority.territory, meetings=meetings)
        return True

    def order_shadowed(self, now: float) -> bool:
        """Put an order into shadow, or into force again."""
        if (order := self._choose_order(now)) is None:
            return False
        self.rules[order.id] = replace(order, shadow=not order.shadow)
        return True

    def policy_comes(self, _: float) -> bool:
        """Write a host policy, in place of another where there are enough."""
        drawn = self._drawn
        listed: Territory = frozenset(drawn.sample(_DENIED, 3))
        allows = drawn.random() < 0.2
        id_ = drawn.choice(_POLICIES)
        self.rules[id_] = HostPolicy(
            id=id_,
            meetings=self._meetings(),
            action=drawn.choice(tuple(Action)),
            allow=listed if allows else None,
            deny=None if allows else listed,
            reject_unknown=drawn.random() < 0.5,
        )
        return True

    def policy_ends(self, _: float) -> bool:
        """Remove a host policy."""
        return self._remove(rule.id for rule in self.rules.values() if isinstance(rule, HostPolicy))

    def _add(self, now: float, opens: float, closes: float) -> Order | None:
        for rule in list(self.rules.values()):
            if isinstance(rule, Order) and rule.closes < now:
                del self.rules[rule.id]
        free = [id_ for id_ in _ORDERS if id_ not in self.rules]
        if not free:
            return None
        drawn = self._drawn
        authority = drawn.choice(tuple(AUTHORITIES.values()))
        codes = [part for code in sorted(authority.territory) for part in (code, *_PARTS.get(code, ()))]
        id_ = drawn.choice(free)
        order = self.rules[id_] = Order(
            id=id_,
            authority=authority,
            territory=frozenset(drawn.sample(codes, drawn.randint(1, min(2, len(codes))))),
            meetings=self._meetings(),
            action=drawn.choice((Action.EJECT, Action.EJECT, Action.REJECT)),
            legal_basis="Act on Examples, section 4",
            reference="soak",
            received=datetime.fromtimestamp(opens, UTC).date() - timedelta(days=1),
            opens=float(int(opens)),
            closes=float(int(closes)),
            shadow=drawn.random() < 0.1,
        )
        return order

    def _remove(self, ids: Iterable[str]) -> bool:
        found = sorted(ids)
        if not found:
            return False
        del self.rules[self._drawn.choice(found)]
        return True

    def _choose_order(self, now: float) -> Order | None:
        found = [rule for rule in self.rules.values() if isinstance(rule, Order) and rule.closes > now]
        return self._drawn.choice(found) if found else None

    def _meetings(self) -> tuple[str, ...]:
        some = tuple(self._drawn.sample(MEETINGS, NAMED))
        return (*some, "all-hands-*") if self._drawn.random() < 0.2 else some


CHANGES: dict[str, Callable[[Rulebook, float], bool]] = {
    "an order comes": Rulebook.order_comes,
    "an order ends": Rulebook.order_ends,
    "an order widens": Rulebook.order_widens,
    "an order in shadow, or out of it": Rulebook.order_shadowed,
    "a time window ahead": Rulebook.window_comes,
    "a host policy comes": Rulebook.policy_comes,
    "a host policy ends": Rulebook.policy_ends,
}


_TO_SPOIL = Order(
    id="mistaken",
    authority=AUTHORITIES["cac"],
    territory=frozenset(("CN",)),
    meetings=("m-00",),
    action=Action.EJECT,
    legal_basis="Act on Examples, section 4",
    reference="soak",
    received=date(2026, 1, 1),
    opens=1_780_000_000.0,
    closes=1_780_086_400.0,
)


def mistaken(text: str, drawn: random.Random) -> str:
    """Return a rule file with a mistake, which has to be refused whole."""
    order = _order(_TO_SPOIL)
    wrong = (
        order.replace('"cac"', '"cacc"'),
        order.replace('territory = ["CN"]', 'territory = ["DE"]'),
        order.replace('action = "eject"', 'action = "end"'),
        order.replace("reference", "referenze"),
        order + "[[order",
    )
    return f"{text}\n{drawn.choice(wrong)}"


def authorities_text() -> str:
    """Return authorities.toml."""
    return "\n".join(
        f'[authority.{each.id}]\nname = "{each.name}"\nbranch = "{each.branch}"\n'
        f"territory = {_list(sorted(each.territory))}\n"
        for each in AUTHORITIES.values()
    )


def _order(order: Order) -> str:
    return f"""\
[[order]]
id = "{order.id}"
authority = "{order.authority.id}"
territory = {_list(sorted(order.territory))}
meetings = {_list(order.meetings)}
action = "{order.action}"
legal_basis = "{order.legal_basis}"
reference = "{order.reference}"
received = {order.received.isoformat()}
from = {_moment(order.opens)}
until = {_moment(order.closes)}
shadow = {str(order.shadow).lower()}
"""


def _policy(policy: HostPolicy) -> str:
    kind, codes = ("deny", policy.deny) if policy.allow is None else ("allow", policy.allow)
    return f"""\
[[host_policy]]
id = "{policy.id}"
meetings = {_list(policy.meetings)}
{kind} = {_list(sorted(codes or ()))}
action = "{policy.action}"
unknown = "{"reject" if policy.reject_unknown else "admit"}"
"""


def _list(values: Iterable[str]) -> str:
    return orjson.dumps(list(values)).decode()


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
