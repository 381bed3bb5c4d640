"""What is going on, as plain numbers and texts: for `/v1/status`, `/metrics` and `joingate status`.

No address, id, name or meeting is in it, and no country: counts by rule, verdict, reason and cause (G8).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joingate import __version__
from joingate.codecs.moment import utc_hour
from joingate.core.rules import Order
from joingate.core.share import Share
from joingate.ledger.journal import Journal
from joingate.reload import Outcome, Reloader

Status = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """What does not change while a gate serves, and its status tells.

    Attributes:
        kind: of the meeting server.
        joins: which requests and messages are joins, in words.
        verifies: whether the meeting server is asked if the ejected are gone; None where the end of the connection is
            the end of the participation.
    """

    kind: str
    joins: Sequence[str]
    verifies: bool | None


@dataclass(frozen=True, slots=True)
class Several:
    """How the processes of a gate are; a gate of one has none to tell of.

    Attributes:
        places: each worker's place, ready for JSON.
        problems: what an operator has to know of them at once.
        is_ready: whether all have begun to serve.
        is_draining: whether they have been told to end.
    """

    places: Sequence[Mapping[str, object]] = ()
    problems: Sequence[str] = ()
    is_ready: bool = True
    is_draining: bool = False


def build_status(served: Served, reloader: Reloader, journal: Journal, share: Share, several: Several) -> Status:
    """Return the state of a serving gate, ready for JSON.

    Args:
        served: what never changes.
        reloader: what is in use, and how the last reload went.
        journal: of the process that declares what is in use.
        share: what all processes that judge say together.
        several: how they are.
    """
    now = time.time()
    atlas, rules = reloader.atlas, reloader.rules
    last = reloader.last
    stale = atlas.stale_at is not None and now > atlas.stale_at
    ledger_problem = journal.problem or share.ledger_problem
    problems = [*reloader.problems, *several.problems]
    if ledger_problem is not None:
        problems.append(f"ledger: {ledger_problem}; nobody is restricted until it can be written")
    if share.still_present:
        problems.append(f"{share.still_present} ejected participants are cut off, and still present on the server")
    if share.server_problem is not None:
        problems.append(f"meeting server: {share.server_problem}; ejections cannot be confirmed")
    return {
        "version": __version__,
        "state": _state(several, is_degraded=stale or bool(problems)),
        "problems": problems,
        "participants": share.participants,
        "meetings": len(share.meetings),
        "connections": share.connections,
        "idle_upstream_connections": share.idle_upstream_connections,
        "workers": list(several.places),
        "server": {"kind": served.kind, "joins": list(served.joins), "sessions": share.sessions},
        "ejections": None
        if served.verifies is None
        else {
            "verifies": served.verifies,
            "under_way": share.ejections_under_way,
            "still_present": share.still_present,
            "problem": share.server_problem,
        },
        "rules": {
            "revision": rules.revision,
            "count": len(rules),
            "orders_in_force": sum(isinstance(rule, Order) and rule.in_force(now) for rule in rules.rules),
            "warnings": list(reloader.warnings),
        },
        "geodb": {
            "databases": [
                {
                    "path": str(database.path),
                    "type": database.vetting.database_type,
                    "build_epoch": database.vetting.build_epoch,
                }
                for database in atlas.databases
            ],
            "stale_at": atlas.stale_at,
            "is_stale": stale,
            "lookup_errors": share.lookup_errors,
        },
        "ledger": {**journal.summary(), "problem": ledger_problem, "unrecorded": share.unrecorded},
        "reloads": {
            "succeeded": reloader.succeeded,
            "failed": reloader.failed,
            "last": None if last is None else _outcome(last),
        },
        "decisions": [
            {"verdict": verdict, "reason": reason, "count": count}
            for verdict, reasons in sorted(share.decisions.items())
            for reason, count in sorted(reasons.items())
        ],
        "by_rule": [
            {"rule": rule, "verdict": verdict, "count": count}
            for rule, verdicts in sorted(share.by_rule.items())
            for verdict, count in sorted(verdicts.items())
        ],
        "shadowed": dict(sorted(share.shadowed.items())),
        "doubt_admitted": dict(share.doubt_admitted),
        "left": share.left,
    }


def _state(several: Several, *, is_degraded: bool) -> str:
    if several.is_draining:
        return "draining"
    if not several.is_ready:
        return "starting"
    return "degraded" if is_degraded else "serving"


def _outcome(outcome: Outcome) -> Status:
    return {
        "hour": utc_hour(int(outcome.at // 3600)),  # no finer: counts of ejected people stand beside it
        "trigger": outcome.trigger,
        "ok": outcome.is_ok,
        "problems": list(outcome.problems),
        "unconfirmed_revision": outcome.unconfirmed,
        "would_eject": outcome.would_eject,
        "reassessed": outcome.effect.reassessed,
        "ejected": outcome.effect.ejected,
        "deferred": outcome.effect.deferred,
    }
