"""What one process serves: a gate before the meeting server, from its first connection to its last.

A gate of one process is this and what loads for it (joingate.app); of several, each worker is this (joingate.working).
"""

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from socket import socket
from typing import Final

from joingate.codecs.config_sections import AdminSettings, GateSettings
from joingate.codecs.dialects import dialect_of
from joingate.core.census import count_places
from joingate.core.rule_set import RuleSet
from joingate.core.share import Share, part_of
from joingate.ejecting import keeps_after_close, removals_of
from joingate.gate.descriptors import connections_possible, shortage
from joingate.gate.gate import Gate
from joingate.gate.listener import Listening, drain, listen, sweep, tls_client_context, tls_server_context
from joingate.gate.options import GateOptions
from joingate.gate.upstream import UpstreamOptions, UpstreamPool
from joingate.geodb.atlas import Atlas
from joingate.ledger.journal import Journal
from joingate.loading import fold_of, matcher_of
from joingate.replacing import Replacing
from joingate.settings import Settings

_log = logging.getLogger("joingate")

Background = Callable[[], Coroutine[None, None, None]]

RESTART_PAUSE: Final = 1.0
"""Seconds before work in the background begins anew after a defect."""


class Serving:
    """The gate of one process, with all that it needs.

    Attributes:
        gate: judges, and knows who is inside.
        journal: where it records.
        replacing: what it judges by, and how that is replaced.
    """

    def __init__(
        self,
        settings: Settings,
        in_use: tuple[RuleSet, Atlas],
        journal: Journal,
        *,
        place: int = 0,
        is_alone: bool = True,
    ) -> None:
        """Put the parts together, on the event loop; nothing is served yet.

        Args:
            settings: the configuration.
            in_use: what to judge by at first.
            journal: open, and told of `in_use`.
            place: of this process among gate.workers, from 0.
            is_alone: whether this process loads for itself, too.

        Raises:
            RefusedInputError: the certificates or the meeting server's interface cannot be used.
        """
        self._settings = settings
        self._place = place
        rules, atlas = in_use
        self._removals = removals_of(settings, journal)
        self.gate = Gate(
            _gate_options(settings, place),
            matcher_of(settings),
            rules,
            atlas.locate,
            journal,
            dialect=dialect_of(settings.upstream.server, settings.upstream.components),
            keeps_after_close=keeps_after_close(settings) or 0,
            remover=self._removals,
        )
        self.journal = journal
        self.replacing = Replacing(self.gate, atlas, None if is_alone else journal)
        self._pool = UpstreamPool(_upstream_options(settings, place))
        if self._pool.engine is not None:
            self.gate.serve_waiting = self._pool.engine.serve
        self._tls = server_tls(settings.gate)
        self._servers: list[Listening] = []

    async def listen(self, sockets: Sequence[socket]) -> None:
        """Accept connections."""
        self._servers = await listen(self.gate, self._pool, sockets, self._tls)

    def begin(self, stack: AsyncExitStack, background: Sequence[Background] = ()) -> None:
        """Keep deadlines, windows, the ledger and `background` until `stack` is closed: after the last connection."""
        possible, (wanted, idle) = self.gate.options.max_connections, _wanted(self._settings, self._place)
        if possible < wanted:
            _log.warning("%s", shortage(wanted, possible, idle))
        keep_ledger(stack, self.journal, self.gate.reassess_all)
        if self._removals is not None:
            stack.push_async_callback(self._removals.close)  # before the ledger ends: it takes their last word
        work: list[Background] = [partial(sweep, self.gate, self._pool), self.replacing.watch_windows, *background]
        keep_up(stack, work)

    async def drain(self) -> None:
        """Go away: let exchanges end, then close every WebSocket."""
        await drain(self.gate, self._pool, self._servers, self._settings.gate.drain_seconds)

    def count_places(self, meeting: str) -> Counter[str]:
        """Count a meeting's participants in this process by country."""
        return count_places(each.location for each in self.gate.roster.of_meeting(fold_of(self._settings)(meeting)))

    def share(self) -> Share:
        """Say what is going on in this process."""
        gate, tally = self.gate, self.gate.tally
        removals = self._removals
        decisions: dict[str, dict[str, int]] = {}
        for (verdict, reason), count in tally.decisions.items():
            decisions.setdefault(str(verdict), {})[str(reason)] = count
        by_rule: dict[str, dict[str, int]] = {}
        for (rule, verdict), count in tally.by_rule.items():
            by_rule.setdefault(rule, {})[str(verdict)] = count
        return Share(
            participants=len(gate.roster),
            meetings=tuple(gate.roster.meetings()),
            connections=len(gate.connections),
            idle_upstream_connections=len(self._pool),
            sessions=0 if gate.polling is None else len(gate.polling),
            ejections_under_way=0 if removals is None else len(removals),
            still_present=0 if removals is None else removals.still_present,
            server_problem=None if removals is None else removals.problem,
            ledger_problem=self.journal.problem,
            unrecorded=self.journal.unrecorded,
            lookup_errors=self.replacing.atlas.errors,
            decisions=decisions,
            by_rule=by_rule,
            shadowed=dict(tally.shadowed),
            doubt_admitted={str(cause): count for cause, count in tally.doubt.items()},
            left=tally.left,
        )


def keep_ledger(
    stack: AsyncExitStack, journal: Journal, recovered: Callable[[], Coroutine[None, None, object]]
) -> None:
    """Keep the ledger until `stack` is closed; it is written and signed to its end, never cut off in the middle."""
    task = asyncio.get_running_loop().create_task(_keep_up(partial(journal.keep, recovered)))

    async def finish() -> None:
        journal.stop()
        await task

    stack.push_async_callback(finish)


def keep_up(stack: AsyncExitStack, background: Sequence[Background]) -> None:
    """Do work in the background until `stack` is closed."""
    for work in background:
        stack.push_async_callback(_cancel, asyncio.get_running_loop().create_task(_keep_up(work)))


async def _keep_up(work: Background) -> None:
    """Begin anew after a defect: deadlines, windows and files must not go unwatched until the next restart."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - logged whole, and the gate serves on
            _log.exception("defect: the work in the background begins anew")
            await asyncio.sleep(RESTART_PAUSE)
        else:
            return


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def log_defect(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log a defect without asyncio's context, whose transports name the peer's address (G8)."""
    error = context.get("exception")
    _log.error("defect: %s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)


def server_tls(section: GateSettings | AdminSettings) -> ssl.SSLContext | None:
    """Return how TLS is spoken to whoever connects there, where it is.

    Raises:
        RefusedInputError: the certificate or its key cannot be used.
    """
    certificate, key = section.tls_certificate, section.tls_key
    return None if certificate is None or key is None else tls_server_context(certificate, key)


def _gate_options(settings: Settings, place: int) -> GateOptions:
    gate, upstream = settings.gate, settings.upstream
    return GateOptions(
        trusted_proxies=gate.trusted_proxies,
        client_ip_from=gate.client_ip_from,
        websocket_reject=gate.websocket_reject,
        operator=gate.operator,
        ends_without_host=upstream.ends_without_host,
        max_connections=connections_possible(*_wanted(settings, place)),
        max_head_bytes=gate.max_head_bytes,
        head_timeout=gate.head_timeout,
        body_timeout=gate.body_timeout,
        response_timeout=upstream.response_timeout,
        idle_timeout=gate.idle_timeout,
        send_timeout=gate.send_timeout,
        websocket_idle_timeout=gate.websocket_idle_timeout,
        close_timeout=gate.close_timeout,
    )


def _upstream_options(settings: Settings, place: int) -> UpstreamOptions:
    upstream = settings.upstream
    return UpstreamOptions(
        endpoint=upstream.endpoint,
        host_header=upstream.host_header.encode(),
        tls=tls_client_context(upstream.ca_file) if upstream.tls else None,
        connect_timeout=upstream.connect_timeout,
        idle_timeout=upstream.idle_timeout,
        max_idle_connections=_wanted(settings, place)[1],
    )


def _wanted(settings: Settings, place: int) -> tuple[int, int]:
    """Return how many connections, and how many idle ones to the meeting server, fall to one process."""
    workers = settings.gate.workers
    return (
        part_of(settings.gate.max_connections, place, workers),
        part_of(settings.upstream.max_idle_connections, place, workers),
    )
