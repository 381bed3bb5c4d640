from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.ledger_line import decode, encode
from joingate.codecs.ledger_rules import acceptance, declare
from joingate.core.record import Entry, Lift, OrderAccepted, PolicyAccepted, Rules
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Action, Asked, HostPolicy, Rule, digest_of
from tests.codecs.restrictions import ORDER, POLICY
from tests.strategies import rule_lists


def test_an_order_is_stated_with_all_its_terms_and_without_the_ids_of_its_meetings() -> None:
    order = replace(
        ORDER,
        meetings=("8412345678", "another", "all-hands-*"),
        asked=Asked(("meeting", "account"), ("HK", "CN")),
        legal_basis="a lone surrogate: \ud800",
    )
    assert acceptance(order) == OrderAccepted(
        rule="cac-2020-0604-1",
        authority="cac",
        authority_name="Cyberspace Administration of China",
        branch="regulator",
        authority_territory=("CN",),
        territory=("CN",),
        action=Action.EJECT,
        legal_basis="a lone surrogate: ?",
        reference="[2020] 17",
        received="2020-05-29",
        opens="2020-06-03T16:00:00Z",
        closes="2020-06-04T16:00:00Z",
        named=2,
        prefixes=1,
        service_wide=False,
        asked_objects=("meeting", "account"),
        asked_territory=("CN", "HK"),
        notice_url="https://example.org/orders/cac-2020-0604-1",
        shadow=False,
        digest=digest_of(order),
    )


def test_the_last_second_of_an_order_is_whole() -> None:
    found = acceptance(replace(ORDER, opens=ORDER.opens + 0.5, closes=ORDER.closes + 0.5))
    assert isinstance(found, OrderAccepted)
    assert (found.opens, found.closes) == ("2020-06-03T16:00:00Z", "2020-06-04T16:00:01Z")


def test_a_service_wide_order_names_no_meeting() -> None:
    found = acceptance(replace(ORDER, meetings=("*",), service_wide=True, notice_url=None, shadow=True))
    assert isinstance(found, OrderAccepted)
    assert (found.named, found.prefixes, found.service_wide) == (0, 0, True)
    assert (found.notice_url, found.asked_objects, found.asked_territory, found.shadow) == (None, (), (), True)


def test_groups_that_were_asked_for_are_written_out() -> None:
    found = acceptance(replace(ORDER, asked=Asked((), ("EU", "CN"))))
    assert isinstance(found, OrderAccepted)
    assert len(found.asked_territory) == 28


def test_a_host_policy_is_stated_by_its_list() -> None:
    assert acceptance(POLICY) == PolicyAccepted(
        "board-eu-only", Action.REJECT, ("CH", "DE"), None, True, False, digest_of(POLICY)
    )
    denying = HostPolicy("p", ("m",), Action.EJECT, deny=frozenset({"US", "CN"}), shadow=True)
    assert acceptance(denying) == PolicyAccepted("p", Action.EJECT, None, ("CN", "US"), False, True, digest_of(denying))


def test_what_is_new_changed_or_gone_is_declared_and_nothing_else() -> None:
    rules = RuleSet([ORDER, POLICY])
    first = declare(rules, {}, frozenset())
    assert first.new == (acceptance(ORDER), acceptance(POLICY))
    assert first.records == (Rules(rules.revision, 1, 1),)
    assert first.digests == {ORDER.id: digest_of(ORDER), POLICY.id: digest_of(POLICY)}
    assert first.closes == ((ORDER.closes, ORDER.id),)
    assert declare(rules, first.digests, frozenset()).records == (Rules(rules.revision, 1, 1),)
    changed = RuleSet([replace(ORDER, meetings=("another",))])
    assert declare(changed, first.digests, frozenset()).new == ()
    assert declare(changed, first.digests, frozenset()).records == (
        acceptance(changed.rules[0]),
        Lift(POLICY.id),
        Rules(changed.revision, 1, 0),
    )


def test_an_order_that_has_ended_is_not_lifted_as_well() -> None:
    empty = RuleSet()
    assert declare(empty, {ORDER.id: "0" * 16}, frozenset({ORDER.id})).records == (Rules(empty.revision, 0, 0),)


def test_the_first_order_to_end_comes_last() -> None:
    later = replace(ORDER, id="later", closes=ORDER.closes + 1)
    assert [rule for _, rule in declare(RuleSet([later, ORDER]), {}, frozenset()).closes] == ["later", ORDER.id]


@given(rule_lists(), rule_lists())
def test_declaring_is_settled_and_every_record_can_be_read_back(first: list[Rule], second: list[Rule]) -> None:
    before = declare(RuleSet(first), {}, frozenset())
    after = declare(RuleSet(second), before.digests, frozenset())
    settled = declare(RuleSet(second), after.digests, frozenset())
    assert (settled.new, len(settled.records)) == ((), 1)
    for record in before.new + before.records + after.new + after.records:
        entry = Entry(0, "2026-11-21T04Z", record)
        assert decode(encode(entry)) == entry


@given(st.sampled_from(["id", "legal_basis", "reference", "meetings"]))
def test_any_change_of_an_order_changes_its_digest(field: str) -> None:
    value = ("other",) if field == "meetings" else "other"
    assert digest_of(replace(ORDER, **{field: value})) != digest_of(ORDER)  # type: ignore[arg-type]
