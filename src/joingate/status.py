"""What is going on, as plain numbers and texts: for `/v1/status`, `/metrics` and `joingate status`.

No address, id, name or meeting is in it, and no country: counts by rule, verdict, reason and cause (G8).
"""

import time
from collections.abc import Sequence
from typing import Any

from joingate import __version__
from joingate.codecs.moment import utc_hour
from joingate.core.rules import Order
from joingate.gate.gate import Gate
from joingate.gate.upstream import UpstreamPool
from joingate.ledger.journal import Journal
from joingate.reload import Outcome, Reloader
from joingate.servers.removals import Removals

Status = dict[str, Any]


def build_status(
    gate: Gate,
    reloader: Reloader,
    journal: Journal,
    pool: UpstreamPool,
    *,
    removals: Removals | None,
    joins: Sequence[str],
) -> Status:
    """Return the state of a serving gate, ready for JSON."""
    now = time.time()
    atlas, rules, tally = reloader.atlas, gate.rules, gate.tally
    last = reloader.last
    stale = atlas.stale_at is not None and now > atlas.stale_at
    problems = list(reloader.problems)
    if journal.problem is not None:
        problems.append(f"ledger: {journal.problem}; nobody is restricted until it can be written")
    if removals is not None:
        problems += removals.problems()
    return {
        "version": __version__,
        "state": "draining" if gate.is_draining else "degraded" if stale or problems else "serving",
        "problems": problems,
        "participants": len(gate.roster),
        "meetings": len(gate.roster.meetings()),
        "connections": len(gate.connections),
        "idle_upstream_connections": len(pool),
        "server": {
            "kind": "generic" if gate.dialect is None else gate.dialect.name,
            "joins": list(joins),
            "sessions": 0 if gate.polling is None else len(gate.polling),
        },
        "ejections": None if removals is None else removals.summary(),
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
            "lookup_errors": atlas.errors,
        },
        "ledger": journal.summary(),
        "reloads": {
            "succeeded": reloader.succeeded,
            "failed": reloader.failed,
            "last": None if last is None else _outcome(last),
        },
        "decisions": [
            {"verdict": verdict, "reason": reason, "count": count}
            for (verdict, reason), count in sorted(tally.decisions.items())
        ],
        "by_rule": [
            {"rule": rule, "verdict": verdict, "count": count}
            for (rule, verdict), count in sorted(tally.by_rule.items())
        ],
        "shadowed": dict(sorted(tally.shadowed.items())),
        "doubt_admitted": {str(cause): count for cause, count in sorted(tally.doubt.items())},  # orjson: keys are str
        "left": tally.left,
    }


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
