from pathlib import Path

import pytest
from hypothesis import given

from joingate.codecs.close_codes import CLOSE_CODES, close_code, close_reason, describe_close_codes
from joingate.core.decision import Decision
from joingate.core.model import Reason, Verdict
from tests.codecs.restrictions import EJECTED, HOSTILE, ORDER, POLICY, REFUSED, REJECTED, by_order, by_policy

CODE = "k7q2m5xw3b6ahcde"
RECEIPT = b", receipt " + CODE.encode()
DOCUMENT = Path(__file__).parents[2] / "docs" / "close-codes.md"


def test_one_meaning_each() -> None:
    assert list(CLOSE_CODES) == [1001, 1012, 1013, 4403, 4451]
    assert all(code == row.code for code, row in CLOSE_CODES.items())
    assert len({row.name for row in CLOSE_CODES.values()}) == len({row.sent for row in CLOSE_CODES.values()}) == 5


def test_a_restriction_is_not_to_be_retried_and_an_overload_is() -> None:
    for code, row in CLOSE_CODES.items():
        assert ("Do not reconnect automatically" in row.advice) is (code >= 4000)
    assert CLOSE_CODES[1012].advice.startswith("Back off")
    assert CLOSE_CODES[1013].advice.startswith("Back off")


def test_the_code_names_the_kind_of_rule() -> None:
    assert (close_code(REJECTED), close_code(EJECTED), close_code(REFUSED)) == (4451, 4451, 4403)


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (
            EJECTED,
            b"legal order cac-2020-0604-1 until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde",
        ),
        (
            by_order(notice_url=None),
            b"legal order cac-2020-0604-1 until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde",
        ),
        (
            by_order(id="a", notice_url="https://example.org/" + "x" * 31),
            b"legal order a until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde, see https://example.org/"
            + b"x" * 31,  # 123 bytes
        ),
        (
            by_order(id="a", notice_url="https://example.org/" + "x" * 32),
            b"legal order a until 2020-06-04T16:00:00Z, receipt k7q2m5xw3b6ahcde",
        ),
        (REFUSED, b"host policy board-eu-only, receipt k7q2m5xw3b6ahcde"),
        (by_policy(id="p" * 85), b"host policy " + b"p" * 85 + RECEIPT),
        (by_policy(id="p" * 86), b"host policy " + b"p" * 82 + b"..." + RECEIPT),
        (by_policy(id="\u6703" * 40), b"host policy " + "\u6703".encode() * 27 + b"..." + RECEIPT),
        (by_policy(id="ab" + "\u6703" * 40), b"host policy ab" + "\u6703".encode() * 26 + b"..." + RECEIPT),
        (
            by_order(id="o" * 200, notice_url=None),
            b"legal order " + b"o" * 55 + b"... until 2020-06-04T16:00:00Z" + RECEIPT,
        ),
        (by_policy(id="a\r\nb\x00\x1b\u202e\ud800c"), b"host policy a  b    c" + RECEIPT),
    ],
)
def test_the_reason_says_what_fits(decision: Decision, reason: bytes) -> None:
    assert close_reason(decision, CODE) == reason


@given(HOSTILE, HOSTILE)
def test_every_reason_is_short_utf8_on_one_line(rule: str, url: str) -> None:
    for decision in (by_order(id=rule, notice_url=url), by_order(id=rule, notice_url=None), by_policy(id=rule)):
        reason = close_reason(decision, CODE)
        assert len(reason) <= 123
        assert reason.decode().isprintable()
        assert reason.startswith((b"legal order ", b"host policy "))
        assert CODE.encode() in reason
        assert (b" until 2020-06-04T16:00:00Z" in reason) is (decision.reason is Reason.ORDER)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(Verdict.ADMIT, Reason.NO_RULE),
        Decision(Verdict.ADMIT, Reason.SHADOW, POLICY),
        Decision(Verdict.DEFER, Reason.HOST_CONTINUITY, ORDER),
    ],
)
def test_nobody_is_closed_without_a_restriction(decision: Decision) -> None:
    for close in (close_code, lambda decision: close_reason(decision, CODE)):
        with pytest.raises(ValueError, match=f"^nothing is closed on a verdict of {decision.verdict}$"):
            close(decision)


def test_the_document_is_the_table() -> None:
    assert DOCUMENT.read_text() == describe_close_codes(), "print describe_close_codes() into docs/close-codes.md"
