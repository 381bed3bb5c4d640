"""Generated places, rules and people.

Few codes, few meetings and small clocks on purpose: rules must often meet each other and the people they mean, or a
property holds for want of an example. The places are those that are easily confused.
"""

from datetime import date

from hypothesis import strategies as st

from joingate.core.location import place
from joingate.core.model import UNKNOWN, Cause, Join, Location
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Authority, HostPolicy, Order, Rule
from joingate.core.territory import Territory

SUBDIVISIONS: dict[str, tuple[str, ...]] = {
    "CN": ("CN-GD",),
    "HK": (),
    "MO": (),
    "TW": (),
    "UA": ("UA-30", "UA-43"),
    "US": ("US-NJ",),
}
MEETINGS = ("8412345678", "all-hands-1", "board-7")
PATTERNS = (("8412345678",), ("all-hands-*",), ("*",), ("all-hands-1", "board-7"), ("8412345678", "all-hands-1", "b*"))
WINDOWS = ((0, 4), (0, 3), (1, 4), (1, 2), (2, 3))
LAST_SECOND = 4

countries = st.sampled_from(tuple(SUBDIVISIONS))
codes = st.sampled_from((*SUBDIVISIONS, *(code for parts in SUBDIVISIONS.values() for code in parts)))
territories: st.SearchStrategy[Territory] = st.frozensets(codes, min_size=1, max_size=4)
moments = st.integers(0, LAST_SECOND).map(float)
"""POSIX seconds; windows open and close among them."""
meetings = st.sampled_from(MEETINGS)
actions = st.sampled_from((Action.EJECT, Action.REJECT, Action.EJECT))
in_shadow = st.sampled_from((False, False, False, True))


@st.composite
def known_locations(draw: st.DrawFn) -> Location:
    """A country, now and then with one of its parts."""
    country = draw(countries)
    return place(country, draw(st.sampled_from((None, *SUBDIVISIONS[country]))))


unknown_locations = st.sampled_from(Cause).map(UNKNOWN.__getitem__)
locations = known_locations() | unknown_locations


@st.composite
def authorities(draw: st.DrawFn) -> Authority:
    """An authority with one territory or several."""
    id_, branch = draw(st.sampled_from((("cac", "regulator"), ("court", "judicial"))))
    return Authority(id_, "An authority", branch, draw(territories))


def _inside(territory: Territory) -> list[str]:
    """Every code of the pool that lies in `territory`, written out here and not asked of the code under test."""
    return sorted(
        territory | {part for country in territory if country in SUBDIVISIONS for part in SUBDIVISIONS[country]}
    )


@st.composite
def orders(
    draw: st.DrawFn,
    *,
    id: str = "order-0",  # noqa: A002 - the field's own name
    authority: st.SearchStrategy[Authority] | None = None,
    shadow: st.SearchStrategy[bool] | None = None,
) -> Order:
    """A valid order: inside its authority's territory, with a window that is not empty."""
    demanding = draw(authorities() if authority is None else authority)
    opens, closes = draw(st.sampled_from(WINDOWS))
    patterns = draw(st.sampled_from(PATTERNS))
    return Order(
        id=id,
        authority=demanding,
        territory=draw(st.frozensets(st.sampled_from(_inside(demanding.territory)), min_size=1, max_size=4)),
        meetings=patterns,
        action=draw(actions),
        legal_basis="Instrument, art. 1",
        reference="ref",
        received=date(2020, 5, 29),
        opens=float(opens),
        closes=float(closes),
        service_wide="*" in patterns,
        shadow=draw(in_shadow if shadow is None else shadow),
    )


@st.composite
def host_policies(draw: st.DrawFn, *, id: str = "policy-0") -> HostPolicy:  # noqa: A002 - the field's own name
    """A host policy that allows or denies."""
    listed, allows = draw(territories), draw(st.booleans())
    return HostPolicy(
        id=id,
        meetings=draw(st.sampled_from(PATTERNS)),
        action=draw(actions),
        allow=listed if allows else None,
        deny=None if allows else listed,
        reject_unknown=draw(st.booleans()),
        shadow=draw(in_shadow),
    )


@st.composite
def rule_lists(draw: st.DrawFn, *, max_orders: int = 3, max_policies: int = 2) -> list[Rule]:
    """Orders and host policies with ids of their own, in any order."""
    found: list[Rule] = [draw(orders(id=f"order-{at}")) for at in range(1, 1 + draw(st.integers(0, max_orders)))]
    found += [draw(host_policies(id=f"policy-{at}")) for at in range(1, 1 + draw(st.integers(0, max_policies)))]
    return draw(st.permutations(found))


rule_sets = rule_lists().map(RuleSet)


@st.composite
def joins(draw: st.DrawFn) -> Join:
    """A join by one of a few participants; the same name may come to several meetings."""
    return Join(draw(meetings), draw(st.sampled_from((None, "ann", "bao", "chi"))), draw(st.booleans()))


populations = st.lists(st.tuples(joins(), locations), max_size=8)
"""Who comes, in the order of their joins, and from where."""

gatherings = st.lists(
    st.tuples(st.builds(Join, st.just(MEETINGS[0]), st.none(), st.booleans()), locations), min_size=2, max_size=6
)
"""Who comes to one meeting."""
