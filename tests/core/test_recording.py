from joingate.core.decision import Decision
from joingate.core.model import Location, Reason, Verdict
from joingate.core.receipt import Promise, Receipt
from joingate.core.record import Told
from joingate.core.recording import Recorded, Restricting


def test_what_goes_into_the_record_names_nobody() -> None:
    assert Restricting._fields == ("decision", "location", "meeting", "told")
    restricting = Restricting(Decision(Verdict.REJECT, Reason.ORDER), Location("CN"), "m", Told.HTTP)
    assert restricting.told == "http"


def test_what_comes_back_is_where_it_stands_and_the_receipt() -> None:
    receipt = Receipt("code", "commitment", lambda: Promise(0, (), ""))
    assert Recorded(7, receipt) == (7, receipt)
