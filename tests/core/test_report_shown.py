from hypothesis import given

from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report import Participants
from joingate.core.report_period import divide
from joingate.core.report_rules import HOST
from joingate.core.report_shown import TOTAL, participants, show
from joingate.core.suppression import Mask
from tests.report_drawn import histories
from tests.report_ledgers import RULES, count, deferral, ejection, entries, order, policy, restriction

FEW, SOME = Mask.FEW, Mask.SOME
DAY, NEXT = "2026-09-03T12Z", "2026-09-04T12Z"
CAC, RKN = 2, 3
RUSSIAN = order("rkn-1", authority="rkn", authority_name="RKN", authority_territory=("RU",), territory=("RU",))
STANDING = (order(), RUSSIAN, policy(), RULES)


def test_numbers_bound_by_sums_are_hidden_together() -> None:
    of_russia = {"located_as": "RU"}
    found = count(
        entries(
            *((DAY, record) for record in STANDING),  # records 1 to 4
            *[(DAY, restriction())] * 30,
            *[(DAY, restriction("rkn-1", **of_russia))] * 20,
            *[(NEXT, restriction("rkn-1", **of_russia))] * 3,
            *[(DAY, ejection())] * 40,  # from record 58 on
            *[(NEXT, ejection("rkn-1", **of_russia))] * 50,  # from record 98 on
            (NEXT, r.Outcome(r.Ending.CONFIRMED, (*range(58, 95), *range(98, 148)))),
            *[(DAY, deferral())] * 2,
            *[(DAY, deferral("rkn-1"))] * 11,
            (DAY, r.Window("cac-1", {Cause.STALE: 12, Cause.PRIVATE: 4}, 0, 17)),
            (DAY, r.Window("rkn-1", {Cause.NOT_FOUND: 100}, 0, 18)),
            *[(DAY, restriction("board", basis=r.Basis.HOST_POLICY))] * 5,
            *[(DAY, ejection("board", basis=r.Basis.HOST_POLICY))] * 12,
        )
    )
    _, buckets = divide("2026-09-03", "2026-09-04")
    shown = show(found, [CAC, RKN], buckets)
    # 50 rejected on one day, 3 on the other: the days hide each other, and the rows need not.
    assert [shown["rejected", each] for each in (*buckets, CAC, RKN, TOTAL)] == [SOME, FEW, 30, 23, 53]
    # 3 of 40 ejections are open: what is gone could give them away, so the row of Russia hides with China's.
    assert participants(CAC, shown) == Participants(30, 40, FEW, 16, 0, 17, SOME, 0, FEW)
    assert participants(RKN, shown) == Participants(23, 50, 11, 100, 0, 18, 50, 0, 0)
    assert participants(TOTAL, shown) == Participants(53, 90, SOME, 116, 0, 35, SOME, 0, FEW)
    assert participants(HOST, shown) == Participants(FEW, 12, 0, 0, 0, 0, 0, 0, 12)
    causes = [shown[cause] for cause in (Cause.PRIVATE, Cause.STALE, Cause.NOT_FOUND, Cause.NO_DATABASE)]
    assert causes == [FEW, SOME, 100, 0]


@given(histories())
def test_what_is_shown_is_true(history: list[r.Entry]) -> None:
    found = count(history)
    _, buckets = divide(found.first_hour[:10], found.last_hour[:10])
    rows = list(range(2, len(found.counts)))
    shown = show(found, rows, buckets)
    for number in rows:
        counts = found.counts[number]
        for name in ("rejected", "ejected", "deferred", "doubt", "shadowed", "unrecorded", "confirmed"):
            exact, said = getattr(counts, name), shown[name, number]
            assert (
                said == exact or (said is FEW and 0 < exact < 10) or (said is SOME and exact >= 10) or said is Mask.ANY
            )
            assert not (isinstance(said, int) and 0 < exact < 10)
            assert (said == 0) is (exact == 0)
