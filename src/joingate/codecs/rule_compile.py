"""Tables of a rule file to the rules of core: how the values of one rule must fit together.

`rule_schema` has checked each value alone. Here are the promises that need two: the territory lies inside the
authority's (G2), the window has a length, "*" is spelt out, and an order grants no more than was asked.
"""

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache

from joingate.codecs.rule_schema import AuthorityTable, HostPolicyTable, OrderTable
from joingate.core.rules import SERVICE_WIDE, Action, Asked, Authority, HostPolicy, Order
from joingate.core.territory import Territory, expand, outside

LONGEST_ORDER_DAYS = 90
LONGEST_SERVICE_WIDE_DAYS = 366  # a sanction is renewed yearly, leap years included

_ACTIONS = {str(action): action for action in Action}  # ten times as quick as Action(word), and it is 100,000 times
_DAY = 86_400.0
_EPOCH = date(1970, 1, 1).toordinal()
_EARLIEST_OFFSET = 14 * 3600.0  # UTC+14, where a day begins first: `received` names a day, not a place
_NAMED_OUTSIDE = 5


@lru_cache(maxsize=4096)
def _territory(codes: tuple[str, ...]) -> Territory:
    # Shared: 100,000 orders name a handful of territories.
    return expand(codes)


def compile_authority(authority_id: str, table: AuthorityTable) -> Authority:
    """Build an Authority of a table that has passed its checks."""
    return Authority(authority_id, table.name, table.branch, _territory(tuple(table.territory)))


def order_problems(table: OrderTable, authority: Authority | None) -> Iterator[str]:
    """Yield what does not fit together in an order, each as `key: what is wrong; what to write`.

    Args:
        table: an order whose single values are good.
        authority: its authority, or None when that is itself refused or unknown.
    """
    if authority is not None and table.territory is not None:
        beyond = outside(_territory(tuple(table.territory)), authority.territory)
        if beyond:
            yield (
                f'territory: {_listed(beyond)} outside the territory of authority "{authority.id}" '
                f"({', '.join(sorted(authority.territory)[:_NAMED_OUTSIDE])}"
                f"{', ...' if len(authority.territory) > _NAMED_OUTSIDE else ''}); "
                "an order reaches no further than its authority: remove it"
            )
    yield from _meetings_problems(table)
    yield from _window_problems(table)
    if table.asked is not None:
        yield from _asked_problems(table, authority)


def _listed(beyond: Territory) -> str:
    named = ", ".join(f'"{code}"' for code in sorted(beyond)[:_NAMED_OUTSIDE])
    if len(beyond) > _NAMED_OUTSIDE:
        return f"{named} and {len(beyond) - _NAMED_OUTSIDE} more lie"
    return f"{named} lies" if len(beyond) == 1 else f"{named} lie"


def _meetings_problems(table: OrderTable) -> Iterator[str]:
    if table.service_wide and table.meetings != [SERVICE_WIDE]:
        yield 'service_wide: is true, and meetings names some; write meetings = ["*"], or remove service_wide'
    elif not table.service_wide and SERVICE_WIDE in table.meetings:
        yield (
            'meetings: "*" is every meeting; write the ids of the meetings, or service_wide = true '
            "where a sanction on the whole service demands it"
        )


def _window_problems(table: OrderTable) -> Iterator[str]:
    opens, closes = table.opens.timestamp(), table.closes.timestamp()
    if closes <= opens:
        yield f"until: {_rfc3339(table.closes)} is not after from; write a later moment"
    days = LONGEST_SERVICE_WIDE_DAYS if table.service_wide else LONGEST_ORDER_DAYS
    if closes - opens > days * _DAY:
        yield f"until: is more than {days} days after from; write an earlier moment, and a new order for the renewal"
    if opens < (table.received.toordinal() - _EPOCH) * _DAY - _EARLIEST_OFFSET:
        yield (
            f"from: {_rfc3339(table.opens)} is before the order was received ({table.received}); "
            "write a moment on that day or later"
        )


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _asked_problems(table: OrderTable, authority: Authority | None) -> Iterator[str]:
    asked = table.asked
    if asked is None or not (asked.objects or asked.territory):
        yield "asked: says nothing; write its objects or its territory, or remove it"
    elif asked.territory and authority is not None:
        beyond = outside(_granted(table, authority), _territory(tuple(asked.territory)))
        if beyond:
            yield f"asked.territory: {_listed(beyond)} outside it, yet granted; write all that was asked for"


def _granted(table: OrderTable, authority: Authority) -> Territory:
    return authority.territory if table.territory is None else _territory(tuple(table.territory))


def compile_order(table: OrderTable, authority: Authority) -> Order:
    """Build an Order of a table in which `order_problems` finds nothing."""
    asked = table.asked
    return Order(
        id=table.id,
        authority=authority,
        territory=_granted(table, authority),
        meetings=tuple(table.meetings),
        action=_ACTIONS[table.action],
        legal_basis=table.legal_basis,
        reference=table.reference,
        received=table.received,
        opens=table.opens.timestamp(),
        closes=table.closes.timestamp(),
        service_wide=table.service_wide,
        asked=None if asked is None else Asked(tuple(asked.objects), tuple(asked.territory)),
        notice_url=table.notice_url,
        shadow=table.shadow,
    )


def host_policy_problems(table: HostPolicyTable) -> Iterator[str]:
    """Yield what does not fit together in a host policy, each as `key: what is wrong; what to write`."""
    if table.allow is not None and table.deny is not None:
        yield "allow: stands beside deny; keep one of the two"
    if table.allow is None and table.deny is None:
        yield 'allow: is missing, and so is deny; write one of the two, such as allow = ["EU"]'
    if SERVICE_WIDE in table.meetings:
        yield 'meetings: "*" is every meeting, and a host speaks for their own; write ids, or a prefix: "board-*"'


def compile_host_policy(table: HostPolicyTable) -> HostPolicy:
    """Build a HostPolicy of a table in which `host_policy_problems` finds nothing."""
    return HostPolicy(
        id=table.id,
        meetings=tuple(table.meetings),
        action=_ACTIONS[table.action],
        allow=None if table.allow is None else _territory(tuple(table.allow)),
        deny=None if table.deny is None else _territory(tuple(table.deny)),
        reject_unknown=table.unknown == "reject",
        shadow=table.shadow,
    )
