"""How many connections the process has file descriptors for.

Without one to be had, whoever connects is dropped without a word, and neither a connection to the meeting server nor a
file can be opened. So the gate turns people away with a 503 before that; HAProxy derives its maxconn in the same way.
"""

import contextlib
import resource
from typing import Final

from joingate.gate.options import MOST_TURNED_AWAY, turned_away_at_most

OF_ITS_OWN: Final = 48
"""Of the process itself: standard streams, event loop, listeners, ledger, databases, the admin service's connections,
and a reload's files and child. An idle gate has some twenty."""


def connections_possible(wanted: int, idle_upstream: int) -> int:
    """Let the process open as many files as it may; return how many connections it can take, at most `wanted`."""
    needed = _needed(wanted, idle_upstream)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    more = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; what counts is what there is then
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = more
    if soft >= needed:
        return wanted
    spare = soft - idle_upstream - OF_ITS_OWN
    return max(1, (spare - 1) * 8 // 17, (spare - MOST_TURNED_AWAY) // 2)  # the inverse of what is needed


def shortage(wanted: int, possible: int, idle_upstream: int) -> str:
    """Say why there is room for so few connections, and what to do about it."""
    return (
        f"gate.max_connections: {wanted} need {_needed(wanted, idle_upstream)} file descriptors, and there are fewer; "
        f"at most {possible} are taken; raise the limit (LimitNOFILE, ulimit -n), or lower gate.max_connections"
    )


def _needed(connections: int, idle_upstream: int) -> int:
    """Count two for each connection, downstream and upstream, and those that read their 503 or wait for a request."""
    return 2 * connections + turned_away_at_most(connections) + idle_upstream + OF_ITS_OWN
