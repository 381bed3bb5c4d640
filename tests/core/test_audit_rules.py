import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.audit_hours import start_of
from joingate.core.audit_rules import order_terms, place_of, policy_terms
from joingate.core.location import located_as
from joingate.core.model import Location
from joingate.core.record import Basis, PolicyAccepted
from joingate.core.rules import Action, HostPolicy, Match, Order, codes_of
from tests.core.audited import ORDER, POLICY, order, policy
from tests.strategies import host_policies, locations, orders, territories


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("CN", Location("CN")),
        ("UA-43", Location("UA", "UA-43")),
        ("unknown", None),
        ("CN-HK", None),
        ("US-PR", None),
        ("ZZ", None),
        ("ZZ-01", None),
    ],
)
def test_a_place_is_read_by_its_own_code_or_not_at_all(code: str, place: Location | None) -> None:
    assert place_of(code) == place


@pytest.mark.parametrize(
    ("territory", "where", "means", "doubts"),
    [
        (("CN",), "CN", True, False),
        (("CN",), "CN-GD", True, False),
        (("CN",), "HK", False, False),
        (("CN",), "CN-HK", False, True),
        (("CN",), "TW", False, False),
        (("CN",), "unknown", False, True),
        (("UA-43",), "UA-43", True, False),
        (("UA-43",), "UA-30", False, False),
        (("UA-43",), "UA", False, True),
        ((), "CN", False, False),
    ],
)
def test_an_order_means_whoever_is_in_its_territory(
    territory: tuple[str, ...],
    where: str,
    means: bool,
    doubts: bool,
) -> None:
    terms = order_terms(order(territory=territory), 0)
    assert terms.basis is Basis.ORDER
    assert terms.means(where, ejected=False) is terms.means(where, ejected=True) is means
    assert terms.doubts(where) is doubts


@pytest.mark.parametrize(
    ("said", "where", "rejected", "ejected"),
    [
        (policy(), "DE", True, True),
        (policy(), "FR", False, False),
        (policy(), "unknown", False, False),
        (policy(rejects_unknown=True), "unknown", True, False),
        (policy(rejects_unknown=True), "FR", False, False),
        (policy(deny=("UA-43",)), "UA", False, False),
        (policy(deny=("UA-43",), rejects_unknown=True), "UA", True, False),
        (policy(deny=("CN",)), "CN-HK", False, False),
        (policy(deny=None, allow=("DE",)), "DE", False, False),
        (policy(deny=None, allow=("DE",)), "FR", True, True),
        (policy(deny=None, allow=("DE",)), "unknown", False, False),
        (policy(deny=None, allow=()), "FR", True, True),
        (policy(deny=None), "FR", False, False),
    ],
)
def test_a_host_policy_means_whom_it_says(said: PolicyAccepted, where: str, rejected: bool, ejected: bool) -> None:
    terms = policy_terms(said, 0)
    assert terms.basis is Basis.HOST_POLICY
    assert terms.means(where, ejected=False) is rejected
    assert terms.means(where, ejected=True) is ejected
    assert not terms.doubts(where)


@given(orders() | host_policies(), locations)
def test_the_terms_mean_whom_the_rule_itself_means(rule: Order | HostPolicy, location: Location) -> None:
    """What the judgement restricts, the audit finds meant; it sees no more than `located_as`, and needs no more."""
    codes = tuple(sorted(codes_of(rule)))
    if isinstance(rule, Order):
        terms = order_terms(order(territory=codes), 0)
        in_doubt = False
    else:
        allow, deny = (codes, None) if rule.allow is not None else (None, codes)
        terms = policy_terms(policy(allow=allow, deny=deny, rejects_unknown=rule.reject_unknown), 0)
        in_doubt = rule.reject_unknown
    match, where = rule.match(location), located_as(location, codes_of(rule))
    assert terms.means(where, ejected=True) is (match is Match.YES)
    assert terms.means(where, ejected=False) is (match is Match.YES or (match is Match.DOUBT and in_doubt))
    assert terms.doubts(where) is (match is Match.DOUBT and isinstance(rule, Order))


@given(territories, st.booleans())
def test_terms_of_the_same_territory_share_it(territory: frozenset[str], allows: bool) -> None:
    codes = tuple(sorted(territory))
    said = policy(allow=codes if allows else None, deny=None if allows else codes)
    assert policy_terms(said, 0).territory is order_terms(order(territory=codes), 3).territory


WINDOW = order(opens="2026-06-03T11:30:00Z", closes="2026-06-04T16:00:00Z")


@pytest.mark.parametrize(
    ("hour", "refusal"),
    [
        ("2026-06-03T10Z", "the hour is over before it begins"),
        ("2026-06-03T11Z", None),
        ("2026-06-04T15Z", None),
        ("2026-06-04T16Z", "it has ended when the hour begins"),
        ("2026-06-31T00Z", "the hour is over before it begins"),
    ],
)
def test_an_hour_is_outside_when_all_of_it_is(hour: str, refusal: str | None) -> None:
    assert next(order_terms(WINDOW, 0).refusals(start_of(hour), 1), None) == refusal


@pytest.mark.parametrize(
    ("opens", "closes", "refusals"),
    [
        ("2026-06-03T13:00:00Z", "2026-06-04T16:00:00Z", ["the hour is over before it begins"]),
        ("2026-06-03T12:59:59Z", "2026-06-03T12:00:01Z", []),
        ("2026-06-03T10:00:00Z", "2026-06-03T12:00:00Z", ["it has ended when the hour begins"]),
        ("2026-06-31T10:00:00Z", "2026-06-04T16:00:00Z", ["the hour is over before it begins"]),
        ("2026-06-03T10:00:00Z", "2026-06-31T16:00:00Z", ["it has ended when the hour begins"]),
    ],
)
def test_a_window_is_read_to_the_second(opens: str, closes: str, refusals: list[str]) -> None:
    terms = order_terms(order(opens=opens, closes=closes), 0)
    assert list(terms.refusals(start_of("2026-06-03T12Z"), 1)) == refusals


def test_a_rule_is_in_use_from_the_revision_after_it_until_its_end() -> None:
    terms = policy_terms(POLICY, 2)
    assert list(terms.refusals(0, 2)) == ["no revision with it was in use yet"]
    assert list(terms.refusals(0, 3)) == []
    terms.ended = "it was lifted by record 7"
    assert list(terms.refusals(0, 3)) == ["it was lifted by record 7"]


def test_terms_say_how_far_a_rule_goes() -> None:
    for action in Action:
        assert order_terms(order(action=action), 0).ejects is (action is Action.EJECT)
        assert policy_terms(policy(action=action), 0).ejects is (action is Action.EJECT)
    assert order_terms(order(shadow=True), 0).shadow
    assert policy_terms(policy(shadow=True), 0).shadow
    assert not order_terms(ORDER, 0).shadow
