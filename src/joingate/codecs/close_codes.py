"""WebSocket close codes: one table, one meaning each, and the reason that goes with a restriction.

A code with two meanings makes clients reconnect for ever, or never again. Where a client has no rule for a code, it
should follow the column "what the client should do": the restrictive codes answer the same on every attempt.

Source: RFC 6455 5.5.1 (a reason is at most 123 bytes of UTF-8), 7.4.1 and 7.4.2 (4000-4999 are private use); IANA
WebSocket Close Code Number Registry (1012, 1013).
"""

from dataclasses import dataclass
from functools import lru_cache

from joingate.codecs.moment import rfc3339
from joingate.core.decision import Decision
from joingate.core.model import Verdict
from joingate.core.rules import Order, Rule

_MOST_BYTES = 123

RECEIPT_BYTES = 16
"""Letters of a receipt's code: 80 bits, five to a letter."""

_CUT = b"..."


@dataclass(frozen=True, slots=True)
class CloseCode:
    """One row.

    Attributes:
        name: short, lower case.
        sent: when the gate sends it.
        advice: what a client should do.
    """

    code: int
    name: str
    sent: str
    advice: str


GOING_AWAY = 1001
RESTART = 1012
TRY_LATER = 1013
HOST_POLICY = 4403
LEGAL_ORDER = 4451

CLOSE_CODES: dict[int, CloseCode] = {
    row.code: row
    for row in (
        CloseCode(
            GOING_AWAY,
            "going away",
            "The gate is shutting down and its grace time is over.",
            "Reconnect after a random delay of 1 to 5 seconds; another gate may answer.",
        ),
        CloseCode(
            RESTART,
            "service restart",
            "The gate is being restarted.",
            "Back off: reconnect after a random delay of 5 to 30 seconds.",
        ),
        CloseCode(
            TRY_LATER,
            "try again later",
            "The gate or the meeting server is overloaded.",
            "Back off: reconnect after a random delay of 30 seconds or more, doubled after each failure.",
        ),
        CloseCode(
            HOST_POLICY,
            "host policy",
            "The meeting's host does not admit connections from the participant's location.",
            "Do not reconnect automatically. Show the reason; offer a new join to the person.",
        ),
        CloseCode(
            LEGAL_ORDER,
            "legal order",
            "A legal order keeps connections located in its territory out of the meeting.",
            "Do not reconnect automatically. Show the reason; offer a new join to the person.",
        ),
    )
}


def close_code(decision: Decision) -> int:
    """Return the code for a participant who is rejected or ejected.

    Raises:
        ValueError: the decision restricts nobody.
    """
    return LEGAL_ORDER if isinstance(_restricting(decision), Order) else HOST_POLICY


def close_reason(decision: Decision, receipt: str) -> bytes:
    """Say why in at most 123 bytes of UTF-8: "legal order ID until TIME, receipt CODE, see URL".

    A host policy has an id and a receipt only. The URL is left out where it does not fit; an id too long is cut at a
    character, and "..." shows it.

    Raises:
        ValueError: the decision restricts nobody.
    """
    rule = _restricting(decision)
    before, after = _of_order(rule.id, rule.closes, rule.notice_url) if isinstance(rule, Order) else _of_policy(rule.id)
    return before + receipt.encode() + after


def _of_policy(rule_id: str) -> tuple[bytes, bytes]:
    return _cut(CLOSE_CODES[HOST_POLICY].name, _one_line(rule_id), ", receipt "), b""


@lru_cache(maxsize=256)  # one order may eject thousands at once
def _of_order(rule_id: str, closes: float, notice_url: str | None) -> tuple[bytes, bytes]:
    """Return what stands before and after the receipt."""
    kind, name = CLOSE_CODES[LEGAL_ORDER].name, _one_line(rule_id)
    until = f" until {rfc3339(closes)}, receipt "
    if notice_url is not None:
        whole, after = f"{kind} {name}{until}".encode(), f", see {_one_line(notice_url)}".encode()
        if len(whole) + RECEIPT_BYTES + len(after) <= _MOST_BYTES:
            return whole, after
    return _cut(kind, name, until), b""


def _restricting(decision: Decision) -> Rule:
    if decision.rule is None or decision.verdict not in (Verdict.REJECT, Verdict.EJECT):
        raise ValueError(f"nothing is closed on a verdict of {decision.verdict}")
    return decision.rule


def _cut(kind: str, name: str, after: str) -> bytes:
    """Put the parts together, with as much of `name` as there is room for beside a receipt."""
    room = _MOST_BYTES - RECEIPT_BYTES - len(kind) - 1 - len(after)
    encoded = name.encode()
    if len(encoded) > room:
        encoded = encoded[: room - len(_CUT)].decode(errors="ignore").encode() + _CUT
    return f"{kind} ".encode() + encoded + after.encode()


def _one_line(value: str) -> str:
    """Replace what does not print: a reason ends up in consoles and logs, and must be UTF-8 (no lone surrogates)."""
    return "".join(character if character.isprintable() else " " for character in value)


def describe_close_codes() -> str:
    """Write `docs/close-codes.md`, in Markdown. A test compares; to write it anew, print this into the file."""
    rows = "\n".join(f"| {row.code} | {row.name} | {row.sent} | {row.advice} |" for row in CLOSE_CODES.values())
    return f"""{_INTRODUCTION}
| code | name | sent when | what the client should do |
|---|---|---|---|
{rows}

{_REASON}"""


_INTRODUCTION = """\
# Close codes

When joingate itself closes a WebSocket, it does so with one of these codes. Each has one meaning, so that a client can
tell "not from here" from "not now". A Close from the meeting server is passed on as it is, whatever its code.
"""

_REASON = """\
4451 and 4403 end the connection of one participant. They are sent to a participant who is inside when a rule begins to
apply, and at the join itself where `websocket_reject = "close"`; otherwise a refused join gets HTTP 451 or 403 before
any WebSocket exists. The meeting goes on, no account is touched, and nobody is banned: a later join is judged afresh.

## The reason

With 4451 and 4403 the Close frame carries a reason, at most 123 bytes of UTF-8, for a person to read:

    legal order cac-1 until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde, see https://example.org/orders/cac-1
    host policy board-eu-only, receipt k7q2m5xw3b6ahcde

The address is left out where it does not fit, and an id that is too long ends in `...`. The kind and the id are the
same as in the HTTP answer; which law, on whose demand and where the connection was located stand there. With the
receipt its holder, and nobody else, finds the record of the restriction in the gate's ledger: see `verify.md`.

## In a client

    socket.onclose = (event) => {
      if (event.code === 4451 || event.code === 4403) return showReason(event.reason);
      if (event.code === 1013) return reconnectAfter(30 + 30 * Math.random());
      if (event.code === 1012) return reconnectAfter(5 + 25 * Math.random());
      if (event.code === 1001) return reconnectAfter(1 + 4 * Math.random());
    };
"""
