"""What a restricted participant is told, as facts: made from the decision and nothing else.

A notice names the rule and where the participant was located. It names neither the participant nor the meeting, so it
is the same whether or not such a meeting exists, and whoever finds it learns no more than that somebody was refused.
"""

from dataclasses import dataclass

from joingate.core.decision import Decision
from joingate.core.location import located_as
from joingate.core.model import Location, Verdict
from joingate.core.receipt import Receipt
from joingate.core.rules import HostPolicy, Order, codes_of

ABOUT_PATH = "/.well-known/joingate"
"""The gate's own page, served by the gate itself on every host name (RFC 8615)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said of an order and not of a host policy.

    Attributes:
        authority: name of whoever demands it.
        legal_basis: instrument and provision.
        closes: POSIX seconds at which the order ends.
        notice_url: where the order is explained, when it has such a page.
    """

    authority: str
    legal_basis: str
    closes: float
    notice_url: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """One restriction, as its addressee is told of it.

    Attributes:
        rule: id of the order or host policy.
        order: the terms of the order; None under a host policy.
        codes: ISO 3166 codes the rule speaks of, sorted.
        allows: whether `codes` are the ones admitted (a host's allow list) rather than the ones restricted.
        located_as: ISO 3166 code, no finer than the rule speaks; "unknown" only under a host policy.
        ejected: whether the participant was inside already.
        receipt: with it the participant, and nobody else, finds the record of this restriction.
        about_url: URI reference of the gate's own page.
    """

    rule: str
    order: Terms | None
    codes: tuple[str, ...]
    allows: bool
    located_as: str
    ejected: bool
    receipt: Receipt
    about_url: str

    @property
    def status(self) -> int:
        """451 is spent on legal orders alone (RFC 7725 3); a host's own choice is 403."""
        return 403 if self.order is None else 451


def build_notice(decision: Decision, location: Location, *, receipt: Receipt, about_url: str = ABOUT_PATH) -> Notice:
    """Gather what the participant is told.

    Args:
        decision: a verdict REJECT or EJECT.
        location: where the participant was placed when it fell.
        receipt: the one recorded with this restriction.
        about_url: URI reference of the gate's own page, where a front proxy serves it under another path.

    Raises:
        ValueError: the decision restricts nobody.
    """
    rule = decision.rule
    if rule is None or decision.verdict not in (Verdict.REJECT, Verdict.EJECT):
        raise ValueError(f"no notice is due on a verdict of {decision.verdict}")
    codes = codes_of(rule)
    return Notice(
        rule=_encodable(rule.id),
        order=_terms(rule) if isinstance(rule, Order) else None,
        codes=tuple(sorted(codes)),
        allows=isinstance(rule, HostPolicy) and rule.allow is not None,
        located_as=located_as(location, codes),
        ejected=decision.verdict is Verdict.EJECT,
        receipt=receipt,
        about_url=about_url,
    )


def _terms(order: Order) -> Terms:
    return Terms(
        authority=_encodable(order.authority.name),
        legal_basis=_encodable(order.legal_basis),
        closes=order.closes,
        notice_url=None if order.notice_url is None else _encodable(order.notice_url),
    )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which Python strings can hold and no encoder accepts: no notice is lost to one."""
    return text.encode("utf-8", "replace").decode()
