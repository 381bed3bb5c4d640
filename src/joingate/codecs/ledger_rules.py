"""Rules as the ledger states them: an order with all of its terms, its meetings only by their number."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from joingate.codecs.moment import rfc3339
from joingate.core.record import Lift, OrderAccepted, PolicyAccepted, Record, Rules
from joingate.core.rule_set import RuleSet
from joingate.core.rules import SERVICE_WIDE, HostPolicy, Order, Rule, digest_of
from joingate.core.territory import Territory, expand


@dataclass(frozen=True, slots=True)
class Declaration:
    """What has to stand in the ledger before anybody is restricted by a rule set.

    Attributes:
        new: rules that the ledger does not hold. Nobody is restricted by them before a revision with them is in use,
            so they may be written well before the records.
        records: rules that have changed, rules that are gone, and the revision.
        digests: of every rule in the set, by its id.
        closes: POSIX seconds at which each order ends, with its id; the last to end comes first.
    """

    new: tuple[OrderAccepted | PolicyAccepted, ...]
    records: tuple[Record, ...]
    digests: Mapping[str, str]
    closes: tuple[tuple[float, str], ...]


def declare(rules: RuleSet, accepted: Mapping[str, str], expired: frozenset[str]) -> Declaration:
    """Say what is new in `rules`.

    Args:
        rules: the set to be used from now on.
        accepted: digests of the rules that the ledger holds as accepted, by their ids.
        expired: ids of those among them that have ended.
    """
    digests = rules.digests
    new = [_acceptance(rule, digests[rule.id]) for rule in rules.rules if rule.id not in accepted]
    records: list[Record] = [
        _acceptance(rule, digests[rule.id])
        for rule in rules.rules
        if accepted.get(rule.id, digests[rule.id]) != digests[rule.id]
    ]
    records += [Lift(gone) for gone in accepted if gone not in digests and gone not in expired]
    orders = [rule for rule in rules.rules if isinstance(rule, Order)]
    records.append(Rules(rules.revision, len(orders), len(rules) - len(orders)))
    orders.sort(key=attrgetter("closes"))  # they are in the order of their ids
    return Declaration(tuple(new), tuple(records), digests, tuple((each.closes, each.id) for each in reversed(orders)))


def acceptance(rule: Rule) -> OrderAccepted | PolicyAccepted:
    """Return the record of a rule's acceptance."""
    return _acceptance(rule, digest_of(rule))


def _acceptance(rule: Rule, digest: str) -> OrderAccepted | PolicyAccepted:
    return _order(rule, digest) if isinstance(rule, Order) else _policy(rule, digest)


def _order(order: Order, digest: str) -> OrderAccepted:
    prefixes = sum(meeting.endswith("*") and meeting != SERVICE_WIDE for meeting in order.meetings)
    return OrderAccepted(
        rule=order.id,
        authority=order.authority.id,
        authority_name=_encodable(order.authority.name),
        branch=order.authority.branch,
        authority_territory=_sorted(order.authority.territory),
        territory=_sorted(order.territory),
        action=order.action,
        legal_basis=_encodable(order.legal_basis),
        reference=_encodable(order.reference),
        received=order.received.isoformat(),
        opens=rfc3339(order.opens),
        closes=rfc3339(math.ceil(order.closes)),
        named=len(order.meetings) - prefixes - order.service_wide,
        prefixes=prefixes,
        service_wide=order.service_wide,
        asked_objects=order.asked.objects if order.asked else (),
        asked_territory=_sorted(expand(order.asked.territory)) if order.asked else (),
        notice_url=None if order.notice_url is None else _encodable(order.notice_url),
        shadow=order.shadow,
        digest=digest,
    )


def _policy(policy: HostPolicy, digest: str) -> PolicyAccepted:
    return PolicyAccepted(
        rule=policy.id,
        action=policy.action,
        allow=None if policy.allow is None else _sorted(policy.allow),
        deny=None if policy.deny is None else _sorted(policy.deny),
        rejects_unknown=policy.reject_unknown,
        shadow=policy.shadow,
        digest=digest,
    )


def _sorted(territory: Territory) -> tuple[str, ...]:
    return tuple(sorted(territory))


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON rule files can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
