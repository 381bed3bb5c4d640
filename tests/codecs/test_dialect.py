import pytest

from joingate.codecs.close_codes import close_reason
from joingate.codecs.dialect import NOT_KNOWN, Polled, Refusal, Resumes, refusal_of
from joingate.core.decision import Decision
from tests.codecs.restrictions import EJECTED, REFUSED, REJECTED
from tests.recorders import a_receipt


@pytest.mark.parametrize(("decision", "status"), [(REJECTED, 451), (EJECTED, 451), (REFUSED, 403)])
def test_a_refusal_says_what_a_close_frame_says(decision: Decision, status: int) -> None:
    said = close_reason(decision, a_receipt().code).decode()
    assert refusal_of(decision, a_receipt()) == Refusal(status, said)


def test_the_texts_fit_a_close_frame() -> None:
    assert len(NOT_KNOWN.text.encode()) <= 123


def test_a_takeover_is_of_everyone_and_needs_a_known_token_unless_told_otherwise() -> None:
    assert Resumes("t") == Resumes("t", (), is_required=True, is_shared=False)
    assert Polled("", None).said is None
