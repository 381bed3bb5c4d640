"""The report in a few sentences, for whoever reads no further."""

from typing import Final

from joingate.core.report import Report
from joingate.core.suppression import Mask, Shown

NO_ORDERS: Final = "No order was received, in force or carried out in this period."


def summary(report: Report) -> str:
    """Say in a few sentences what the numbers come to."""
    orders, participants = report.total.orders, report.total.participants
    if not report.rows:
        return NO_ORDERS
    asked = {0: "", 1: f" It asked for {'more' if orders.asked_more else 'no more'} than was granted."}.get(
        orders.received, f" {orders.asked_more or 'None'} of them asked for more than was granted."
    )
    return (
        f"{_orders(orders.received)} received in this period.{asked} {_orders(orders.in_force)} in force at some time. "
        f"Under orders, {_people(participants.rejected)} rejected when they tried to join, "
        f"{_people(participants.ejected)} ejected from meetings that went on, and "
        f"{_people(participants.doubt)} admitted because their location was in doubt."
    )


def _orders(count: int) -> str:
    return {0: "No orders were", 1: "One order was"}.get(count, f"{count:,} orders were")


_PEOPLE: Final = {
    Mask.FEW: "fewer than 10 participants were",
    Mask.SOME: "10 participants or more were",
    Mask.ANY: "at least one participant was",
}


def _people(shown: Shown) -> str:
    return _PEOPLE[shown] if isinstance(shown, Mask) else f"{shown:,} participants were" if shown else "nobody was"
