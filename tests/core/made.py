"""Rules as tables of the core's tests write them: what a row does not name is beside its point."""

from datetime import date
from typing import Any

from joingate.core.rules import Action, Authority, Order

CAC = Authority("cac", "Cyberspace Administration of China", "regulator", frozenset(("CN",)))


def order(id: str = "o", **fields: Any) -> Order:  # noqa: A002 - the field's own name
    """An order against meeting `m` in CN, in force from 0 to 100."""
    given: dict[str, Any] = {
        "authority": CAC,
        "territory": frozenset(("CN",)),
        "meetings": ("m",),
        "action": Action.EJECT,
        "legal_basis": "Instrument, art. 1",
        "reference": "ref",
        "received": date(2020, 5, 29),
        "opens": 0.0,
        "closes": 100.0,
    }
    given["service_wide"] = "*" in fields.get("meetings", ())
    return Order(id, **(given | fields))
