from dataclasses import replace
from typing import Any

import pytest

from joingate.core.record import Basis, Database, Expiry, Lift, Record, Restriction, Restricts, Rules, Told
from joingate.core.rules import Action
from tests.core.audited import (
    BEGUN,
    BUILT,
    BY_POLICY,
    DATABASE,
    DEFERRAL,
    EPOCHS,
    GENESIS,
    ORDER,
    POLICY,
    RESTRICTION,
    RULES,
    audited,
    order,
    policy,
    restriction,
    violations,
)

REJECT, EJECT = Restricts.REJECT, Restricts.EJECT
ONE_DATABASE = Database((BUILT,), ("Country",), ("a" * 16,), 0, 0)
OVERRIDDEN = Database(EPOCHS, ("Country", "City"), ("a" * 16, "b" * 16), 3, 60)
STALE_FROM = Database(EPOCHS, ("Country", "City"), ("a" * 16, "b" * 16), 0, 1)
LATER = "2026-06-03T13Z"

Step = Record | tuple[str, Record]


def by_policy(**fields: Any) -> Record:
    """A restriction under the host policy."""
    return replace(BY_POLICY, **fields)


def begun(*, order: Record = ORDER, policy: Record = POLICY, database: Record = DATABASE) -> tuple[Record, ...]:
    return (GENESIS, database, order, policy, RULES)


HOLDING: dict[str, tuple[Step, ...]] = {
    "an ejection and a rejection": (*BEGUN, RESTRICTION, restriction(action=REJECT, told=Told.HTTP)),
    "a part of the country named": (*BEGUN, restriction(located_as="CN-GD")),
    "a part that is named": (*begun(order=order(territory=("UA-43",))), restriction(located_as="UA-43")),
    "under a host policy": (*BEGUN, BY_POLICY),
    "unknown, as the host wants": (
        *begun(policy=policy(rejects_unknown=True)),
        by_policy(action=REJECT, located_as="unknown", sources=0),
    ),
    "outside what the host allows": (*begun(policy=policy(allow=("DE",), deny=None)), by_policy(located_as="FR")),
    "one database": (*begun(database=ONE_DATABASE), restriction(epochs=(BUILT,), sources=1)),
    "an override": (*begun(database=OVERRIDDEN), restriction(sources=1), RESTRICTION),
    "in the last hour of the databases": (*begun(database=STALE_FROM), RESTRICTION),
    "an override when the databases are too old": (
        *begun(database=Database(EPOCHS, ("C", "C"), ("a" * 16, "b" * 16), 1, 1)),
        (LATER, restriction(sources=1)),
    ),
    "unknown when the databases are too old": (
        *begun(database=STALE_FROM, policy=policy(rejects_unknown=True)),
        (LATER, by_policy(action=REJECT, located_as="unknown", sources=0)),
    ),
    "cut off in an answer": (*BEGUN, restriction(told=Told.NOT)),
    "accepted anew": (*BEGUN, Lift("o-1"), ORDER, Rules("8" * 16, 1, 1), restriction(revision="8" * 16)),
    "in the hour it begins": (*begun(order=order(opens="2026-06-03T12:59:59Z")), RESTRICTION),
    "in the hour it ends": (*begun(order=order(closes="2026-06-03T12:00:01Z")), RESTRICTION),
    "a deferral": (*BEGUN, DEFERRAL),
}


@pytest.mark.parametrize("steps", HOLDING.values(), ids=HOLDING)
def test_a_restriction_that_is_right(steps: tuple[Step, ...]) -> None:
    assert violations(audited(*steps)) == {}


HONG_KONG = "located as HK, and o-1 is for CN"
NO_RULE = "no order o-9 was accepted before it"
SECOND = Rules("8" * 16, 1, 1)

VIOLATING: dict[str, tuple[tuple[Step, ...], dict[str, str]]] = {
    "another territory": ((*BEGUN, restriction(located_as="HK")), {"territory": HONG_KONG}),
    "Hong Kong by another name": (
        (*BEGUN, restriction(located_as="CN-HK")),
        {
            "territory": "located as CN-HK, and o-1 is for CN",
            "doubt": "located as CN-HK: nobody can tell if o-1 is for that place",
        },
    ),
    "a part unknown": (
        (*begun(order=order(territory=("UA-43",))), restriction(located_as="UA")),
        {
            "territory": "located as UA, and o-1 is for UA-43",
            "doubt": "located as UA: nobody can tell if o-1 is for that place",
        },
    ),
    "unknown": (
        (*BEGUN, restriction(located_as="unknown", sources=0)),
        {
            "territory": "located as unknown, and o-1 is for CN",
            "doubt": "located as unknown: nobody can tell if o-1 is for that place",
        },
    ),
    "unknown by two sources": (
        (*begun(policy=policy(rejects_unknown=True)), by_policy(action=REJECT, located_as="unknown")),
        {"doubt": "located by 2 sources, as unknown"},
    ),
    "not what the host said": (
        (*BEGUN, by_policy(located_as="FR")),
        {"host_policies": "located as FR, and h-1 denies DE"},
    ),
    "what the host allows": (
        (*begun(policy=policy(allow=("DE", "AT", "BE", "BG", "CH", "CY"), deny=None)), BY_POLICY),
        {"host_policies": "located as DE, and h-1 allows AT, BE, BG, CH, CY, ..."},
    ),
    "an ejection of the unknown": (
        (*begun(policy=policy(rejects_unknown=True)), by_policy(located_as="unknown", sources=0)),
        {"host_policies": "located as unknown, and h-1 denies DE"},
    ),
    "no such order": ((*BEGUN, restriction(rule="o-9")), {"rules": NO_RULE, "territory": NO_RULE}),
    "a host policy as an order": (
        (*BEGUN, restriction(rule="h-1")),
        {
            "rules": "no order h-1 was accepted before it",
            "territory": "no order h-1 was accepted before it",
        },
    ),
    "an order as a host policy": (
        (*BEGUN, restriction(basis=Basis.HOST_POLICY)),
        {
            "rules": "no host policy o-1 was accepted before it",
            "host_policies": "no host policy o-1 was accepted before it",
        },
    ),
    "accepted only afterwards": (
        (GENESIS, DATABASE, RULES, RESTRICTION, ORDER, POLICY),
        {"rules": "no order o-1 was accepted before it", "territory": "no order o-1 was accepted before it"},
    ),
    "not in use yet": (
        (GENESIS, DATABASE, POLICY, RULES, ORDER, RESTRICTION),
        {"rules": "o-1: no revision with it was in use yet"},
    ),
    "another revision": ((*BEGUN, SECOND, RESTRICTION), {"rules": f"revision {'7' * 16} was not in use"}),
    "lifted": ((*BEGUN, Lift("o-1"), RESTRICTION), {"rules": "o-1: it was lifted by record 5"}),
    "expired": ((*BEGUN, Expiry("o-1"), RESTRICTION), {"rules": "o-1: it had expired by record 5"}),
    "too early": (
        (*begun(order=order(opens="2026-06-03T13:00:00Z")), RESTRICTION),
        {"rules": "o-1: the hour is over before it begins"},
    ),
    "too late": (
        (*begun(order=order(closes="2026-06-03T12:00:00Z")), RESTRICTION),
        {"rules": "o-1: it has ended when the hour begins"},
    ),
    "one source of two": (
        (*BEGUN, restriction(sources=1)),
        {"doubt": "located by 1 sources, and 2 databases were in use"},
    ),
    "two sources of one": (
        (*begun(database=ONE_DATABASE), restriction(epochs=(BUILT,))),
        {"doubt": "located by 2 sources, and 1 databases were in use"},
    ),
    "no source, with overrides": (
        (*begun(database=OVERRIDDEN), restriction(sources=0)),
        {"doubt": "located by 0 sources, and 2 databases were in use"},
    ),
    "other databases": (
        (*BEGUN, restriction(epochs=(BUILT, BUILT))),
        {"databases": f"databases [{BUILT}, {BUILT}] were not in use"},
    ),
    "no databases": (
        (GENESIS, ORDER, POLICY, RULES, RESTRICTION),
        {
            "databases": f"databases [{BUILT}, {BUILT + 3600}] were not in use",
            "doubt": "located by 2 sources, and 0 databases were in use",
        },
    ),
    "databases too old": (
        (*begun(database=STALE_FROM), (LATER, RESTRICTION)),
        {"databases": "its databases were older than they may be"},
    ),
    "shadow": ((*begun(order=order(shadow=True)), RESTRICTION), {"reach": "o-1 is in shadow"}),
    "an ejection by a rule that rejects": (
        (*begun(order=order(action=Action.REJECT)), RESTRICTION),
        {"reach": "o-1 only rejects, and somebody inside was ejected"},
    ),
    "a rejection not told": (
        (*BEGUN, restriction(action=REJECT, told=Told.NOT)),
        {"told": "rejected at a join, and not told"},
    ),
}


@pytest.mark.parametrize(("steps", "expected"), VIOLATING.values(), ids=VIOLATING)
def test_a_restriction_that_is_wrong(steps: tuple[Step, ...], expected: dict[str, str]) -> None:
    records = [step[1] if isinstance(step, tuple) else step for step in steps]
    at = next(seq for seq, record in enumerate(records) if isinstance(record, Restriction))
    assert violations(audited(*steps)) == {name: [f"record {at}: {reason}"] for name, reason in expected.items()}


def test_a_deferral_is_judged_as_the_ejection_that_it_puts_off() -> None:
    wrong = replace(DEFERRAL, located_as="HK", sources=1)
    assert violations(audited(*BEGUN, wrong)) == {"deferrals": [f"record 5: {HONG_KONG}"]}
    rejecting = begun(order=order(action=Action.REJECT))
    assert violations(audited(*rejecting, DEFERRAL)) == {
        "deferrals": ["record 5: o-1 only rejects, and somebody inside was ejected"]
    }


def test_the_end_of_a_rule_that_was_never_accepted_ends_nothing() -> None:
    assert violations(audited(*BEGUN, Lift("o-9"), Expiry("o-9"), RESTRICTION)) == {}


def test_sentences_give_the_exact_numbers() -> None:
    found = audited(
        *BEGUN,
        RESTRICTION,
        restriction(located_as="HK"),
        restriction(action=REJECT, told=Told.HTTP),
        restriction(told=Told.NOT),
        restriction(action=REJECT, told=Told.IN_BAND),
        by_policy(action=REJECT, told=Told.HTTP),
        DEFERRAL,
    )
    said = {
        name: found[name].sentence for name in ("rules", "territory", "host_policies", "doubt", "told", "deferrals")
    }
    assert said == {
        "rules": "restricted without a rule accepted before it, in use and in force: 0 of 6",
        "territory": "restricted outside the order's territory: 1 of 5",
        "host_policies": "restricted against the words of a host policy: 0 of 1",
        "doubt": "restricted in doubt, or on the word of fewer databases than there are: 0 of 6; admitted in doubt: 0",
        "told": (
            "everybody restricted was told: 2 by HTTP, 2 by a Close frame, 1 by a message of the meeting server's kind"
            "; 1 were cut off in the middle of an answer, which cannot say why"
        ),
        "deferrals": "every deferral puts off what would have been right: 1",
    }
    assert found["databases"].sentence == "restricted by databases that were not in use, or too old: 0 of 6"
    assert found["reach"].sentence == "restricted by a rule in shadow, or ejected by one that only rejects: 0 of 6"
    assert found["told"].counts == {"http": 2, "close": 2, "in_band": 1, "not_told": 1}
