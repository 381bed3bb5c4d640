"""Whether a rule as accepted keeps to its own limits: an order to its authority, to what was asked and to its time."""

from collections.abc import Iterator
from typing import Final

from joingate.core.audit_hours import moment_of
from joingate.core.record import OrderAccepted, PolicyAccepted
from joingate.core.territory import GROUPS, outside, refuse_code

LONGEST_ORDER_DAYS: Final = 90
LONGEST_SERVICE_WIDE_DAYS: Final = 366

_DAY: Final = 86_400
_EARLIEST_OFFSET: Final = 14 * 3600  # UTC+14, where a day begins first: `received` names a day, not a place


def order_problems(order: OrderAccepted) -> Iterator[str]:
    """Yield each way in which an order reaches further than it may, or cannot be understood."""
    yield from _unreadable("territory", order.territory)
    yield from _unreadable("authority_territory", order.authority_territory)
    yield from _unreadable("asked_territory", order.asked_territory)
    if not order.territory:
        yield "it names no territory"
    if beyond := outside(frozenset(order.territory), frozenset(order.authority_territory)):
        yield f"{_listed(beyond)} is outside the territory of {order.authority}"
    if order.asked_territory and (beyond := outside(frozenset(order.territory), frozenset(order.asked_territory))):
        yield f"{_listed(beyond)} was granted and not asked for"
    if not order.service_wide and not order.named + order.prefixes:
        yield "it names no meeting"
    yield from _window_problems(order)


def _window_problems(order: OrderAccepted) -> Iterator[str]:
    opens, closes = moment_of(order.opens), moment_of(order.closes)
    received = moment_of(f"{order.received}T00:00:00Z")
    if opens is None or closes is None or received is None:
        yield "received, opens or closes is not in the calendar"
        return
    days = LONGEST_SERVICE_WIDE_DAYS if order.service_wide else LONGEST_ORDER_DAYS
    if closes <= opens:
        yield "it ends before it begins"
    elif closes - opens > days * _DAY:
        yield f"it lasts longer than {days} days"
    if opens < received - _EARLIEST_OFFSET:
        yield "it begins before it was received"


def policy_problems(policy: PolicyAccepted) -> Iterator[str]:
    """Yield each way in which a host policy cannot be understood."""
    yield from _unreadable("allow", policy.allow or ())
    yield from _unreadable("deny", policy.deny or ())
    if (policy.allow is None) is (policy.deny is None):
        yield "exactly one of allow and deny says what the host wants"


def _unreadable(field: str, codes: tuple[str, ...]) -> Iterator[str]:
    wrong = [code for code in codes if code in GROUPS or refuse_code(code) is not None]
    if wrong:
        yield f"{field}: {_listed(wrong)} is no exact code of a country or a part of one"


def _listed(codes: frozenset[str] | list[str]) -> str:
    return ", ".join(sorted(codes)[:5])
