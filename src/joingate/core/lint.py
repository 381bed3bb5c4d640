"""What `joingate check` says of orders that load, and that somebody should look at twice before they are in force."""

from collections.abc import Iterator
from typing import Final

from joingate.core.rule_set import RuleSet
from joingate.core.rules import SERVICE_WIDE, Order

SHORTEST_PREFIX: Final = 4
"""Characters before the "*": fewer are begun with by meetings that nobody had in mind."""


def remarks(rules: RuleSet, now: float) -> Iterator[str]:
    """Yield a line for each order that reaches far, or reaches nobody any more.

    Args:
        rules: as loaded.
        now: POSIX seconds.
    """
    for rule in rules.rules:
        if not isinstance(rule, Order):
            continue
        if rule.closes <= now:
            yield f"order {rule.id}: has ended, and restricts nobody; remove it"
        if rule.service_wide:
            yield f"order {rule.id}: means every meeting of the service; make sure that its legal basis demands no less"
        for pattern in rule.meetings:
            if pattern.endswith("*") and pattern != SERVICE_WIDE and len(pattern) <= SHORTEST_PREFIX:
                yield (
                    f'order {rule.id}: "{pattern}" means every meeting whose id begins so; '
                    "name the meetings, or write a longer prefix"
                )
