import json

from hypothesis import given

from joingate.codecs.report_json import FORMAT, members_of, render_json
from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.report import Signed
from tests.attacker import given_away
from tests.report_drawn import counted, histories, readable
from tests.report_ledgers import DATABASE, DIGEST, HOUR, ORIGIN, REVISION, RULES, deferral, entries, order, report


def test_the_whole_of_a_small_report() -> None:
    found = report(
        entries(
            DATABASE,
            order(asked_objects=("meeting",), asked_territory=("CN", "HK")),
            RULES,
            deferral(),
            r.Window("cac-1", {Cause.STALE: 12}, 0, 0),
            r.Disclosure("cac", r.Subject.OTHER, 3, "law", "reference"),
            r.Correction(4, r.Mistake.CLERICAL, "why"),
            r.Recovery(211, "ef" * 32),
        ),
        checkpoint=Signed(9, "root"),
    )
    none = dict.fromkeys(
        (
            "rejected",
            "ejected",
            "deferred",
            "doubt",
            "shadowed",
            "unrecorded",
            "confirmed",
            "still_present",
            "unresolved",
        ),
        0,
    )
    numbers = {
        "orders": {
            "received": 1,
            "asked_more": 1,
            "asked_beyond": 1,
            "in_force": 1,
            "in_shadow": 0,
            "lifted": 0,
            "expired": 0,
        },
        "meetings": {"named": 1, "prefixes": 0, "service_wide": 0, "restricted": 0},
        "participants": none | {"deferred": "<10", "doubt": 12},
    }
    asked = {"restriction": (1, 1), "meeting": (1, 0), "account": (0, 0), "participants": (0, 0), "data": (0, 0)}
    asked |= {"other": (0, 0), "territory": (1, 0)}
    assert json.loads(render_json(found)) == {
        "format": FORMAT,
        "origin": ORIGIN,
        "period": {"from": "2026-09-03", "to": "2026-09-03"},
        "ledger": {"first_hour": HOUR, "last_hour": HOUR, "ends_within_a_line": False},
        "marks": {
            "<10": "1 to 9",
            "10+": "10 or more: hidden, since a smaller number could be worked out from it",
            "1+": "1 or more: hidden likewise",
        },
        "exact": {
            "meetings_ended": 0,
            "accounts_touched": 0,
            "outside_territory": 0,
            "outside_time": 0,
            "disclosures": 1,
            "people": 3,
        },
        "rows": [
            {
                "authority": "cac",
                "name": "Cyberspace Administration of China",
                "branch": "regulator",
                "territory": ["CN"],
                **numbers,
            }
        ],
        "total": numbers,
        "over_time": {
            "unit": "day",
            "spans": [{"from": "2026-09-03", "to": "2026-09-03", "rejected": 0, "ejected": 0}],
        },
        "asked_and_granted": [{"what": what, "asked": a, "granted": g} for what, (a, g) in asked.items()],
        "doubt": dict.fromkeys(map(str, Cause), 0) | {"stale": 12},
        "host_policies": {"policies": 0, "participants": none},
        "orders": [
            json.loads(json.dumps(members_of(found.orders[0].order)))
            | {"accepted": HOUR, "changes": 0, "standing": "in_force"}
        ],
        "disclosures": [
            {
                "seq": 6,
                "hour": HOUR,
                "authority": "cac",
                "subject": "other",
                "people": 3,
                "legal_basis": "law",
                "reference": "reference",
            }
        ],
        "corrections": [{"seq": 7, "hour": HOUR, "corrects": 4, "mistake": "clerical", "explanation": "why"}],
        "heartbeats": {"hours": 1, "without": 1, "gaps": [{"first": HOUR, "last": HOUR, "hours": 1}]},
        "recoveries": [{"seq": 8, "hour": HOUR, "size": 211, "digest": "ef" * 32}],
        "revisions": [{"seq": 3, "hour": HOUR, "revision": REVISION, "orders": 1, "host_policies": 0}],
        "databases": [
            {
                "seq": 1,
                "hour": HOUR,
                "epochs": [1_788_000_000],
                "types": ["GeoLite2-Country"],
                "digests": [DIGEST],
                "overrides": 0,
                "max_age_days": 60,
            }
        ],
        "checkpoint": {"size": 9, "root": "root"},
    }


def test_it_ends_in_a_line_feed_and_has_no_checkpoint_where_there_is_none() -> None:
    written = render_json(report(entries(), unfinished=True))
    assert written.endswith(b"}\n")
    assert json.loads(written)["checkpoint"] is None
    assert json.loads(written)["ledger"]["ends_within_a_line"] is True


@given(histories())
def test_nobody_can_work_out_what_the_report_hides(history: list[r.Entry]) -> None:
    """From all its tables together, with all their sums, and with what is true of meetings and people anyway."""
    found = json.loads(render_json(report(history)))
    shown, sums = readable(found)
    assert given_away(shown, counted(history, found), sums) == []


@given(histories())
def test_the_same_history_gives_the_same_bytes(history: list[r.Entry]) -> None:
    assert render_json(report(history)) == render_json(report(iter(history)))
