"""The only place that puts the parts together: settings and files in, a serving gate out."""

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

import aiohttp.http_parser
import uvloop

from joingate.admin.service import AdminService
from joingate.codecs.config_sections import AdminSettings, GateSettings
from joingate.codecs.dialects import describe_joins, dialect_of
from joingate.core.census import census
from joingate.core.errors import RefusedInputError
from joingate.core.rules import RuleSet
from joingate.ejecting import keeps_after_close, removals_of
from joingate.gate.descriptors import connections_possible, shortage
from joingate.gate.gate import Gate
from joingate.gate.listener import Listening, drain, listen, sweep, tls_client_context, tls_server_context
from joingate.gate.options import GateOptions
from joingate.gate.upstream import UpstreamOptions, UpstreamPool
from joingate.geodb.atlas import Atlas
from joingate.geodb.database import check_c_reader
from joingate.geodb.load import Fingerprint
from joingate.ledger.journal import Journal
from joingate.loading import Part, databases_of, fold_of, load_all, matcher_of, part_fingerprint, routes_of
from joingate.reload import Reloader
from joingate.settings import Settings
from joingate.status import build_status

_log = logging.getLogger("joingate")

Background = Callable[[], Coroutine[None, None, None]]


def check_parsers() -> None:
    """Refuse to run on the pure-Python parsers, which have had the worse faults.

    Raises:
        RefusedInputError: with what to install or unset.
    """
    check_c_reader()
    if aiohttp.http_parser.HttpRequestParser is aiohttp.http_parser.HttpRequestParserPy:
        raise RefusedInputError(
            "aiohttp runs on its pure-Python parser; "
            "unset AIOHTTP_NO_EXTENSIONS, and install aiohttp from a binary wheel"
        )


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        RefusedInputError: rules, databases, certificates or addresses cannot be used.
    """
    check_parsers()
    _forbid_core_dumps()
    seen = {part: part_fingerprint(settings, part) for part in Part}  # before loading: a later change is noticed
    gc.disable()  # nothing of what is loaded is garbage, and there may be a million of it to go through
    rules, atlas = load_all(settings)
    journal = Journal(settings.ledger.path)
    journal.open()
    journal.use_databases(databases_of(atlas))
    journal.use_rules(rules, journal.declare(rules))
    gc.freeze()  # a hundred thousand rules are looked through by no collection: they go when a reload drops them
    gc.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, rules, atlas, journal, seen))


def _forbid_core_dumps() -> None:
    """Keep memory, and the addresses in it, off the disk. A limit of 1 stops a piped dump too, 0 does not (core(5))."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = min(hard, 1) if hard != resource.RLIM_INFINITY else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


async def _serve(
    settings: Settings, rules: RuleSet, atlas: Atlas, journal: Journal, seen: dict[Part, Fingerprint]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_defect)
    stop = asyncio.Event()
    dialect = dialect_of(settings.upstream.server, settings.upstream.components)
    removals = removals_of(settings, journal)
    joins = describe_joins(settings.upstream.server, routes_of(settings))
    gate = Gate(
        _gate_options(settings),
        matcher_of(settings),
        rules,
        atlas.locate,
        journal,
        dialect=dialect,
        keeps_after_close=keeps_after_close(settings) or 0,
        remover=removals,
    )
    pool = UpstreamPool(_upstream_options(settings))
    reloader = Reloader(settings, gate, atlas, journal, seen)
    admin = AdminService(
        settings.admin.listen,
        token_file=settings.admin.token_file,
        tls=_server_tls(settings.admin),
        status=lambda: build_status(gate, reloader, journal, pool, removals=removals, joins=joins),
        census=lambda meeting: census(each.location for each in gate.roster.of_meeting(fold_of(settings)(meeting))),
        reload=reloader.reload_by_command,
    )
    servers = await listen(gate, pool, settings.gate.listen, _server_tls(settings.gate))
    try:
        await admin.start()
        if (possible := gate.options.max_connections) < (wanted := settings.gate.max_connections):
            _log.warning("%s", shortage(wanted, possible, settings.upstream.max_idle_connections))
        for endpoint in _addresses(servers):
            _log.info("listening on %s", endpoint)
        _log.info("admin service on %s; revision %s", admin.address, gate.rules.revision)
        async with contextlib.AsyncExitStack() as stack:
            keeping = partial(journal.keep, gate.reassess_all)
            stack.push_async_callback(_finish, journal, loop.create_task(_keep_up(keeping)))
            if removals is not None:
                stack.push_async_callback(removals.close)  # before the ledger ends: it takes their last word
            background: list[Background] = [partial(sweep, gate, pool), reloader.watch_windows]
            background += [partial(reloader.watch_files, part) for part in Part]
            for work in background:
                stack.push_async_callback(_cancel, loop.create_task(_keep_up(work)))
            _on_signals(loop, stop, reloader)
            await stop.wait()
            _log.info("draining: %d participants inside", len(gate.roster))
            await drain(gate, pool, servers, settings.gate.drain_seconds)
    finally:
        await admin.stop()


def _on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, reloader: Reloader) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reloader.reload_by_signal)
    # Held back since the first lines of __main__, so that none is lost and none ends the process.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


async def _keep_up(work: Background) -> None:
    """Begin anew after a defect: deadlines, windows and files must not go unwatched until the next restart."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - logged whole, and the gate serves on
            _log.exception("defect: the work in the background begins anew")
            await asyncio.sleep(1)
        else:
            return


async def _finish(journal: Journal, task: asyncio.Task[None]) -> None:
    """Let the ledger be written and signed to its end; it is never cut off in the middle."""
    journal.stop()
    await task


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _addresses(servers: Sequence[Listening]) -> list[str]:
    names = [listener.getsockname() for server in servers for listener in server.sockets]
    return [f"unix:{name}" if isinstance(name, str) else f"{name[0]}:{name[1]}" for name in names]


def _log_defect(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log a defect without asyncio's context, whose transports name the peer's address (G8)."""
    error = context.get("exception")
    _log.error("defect: %s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)


def _server_tls(section: GateSettings | AdminSettings) -> ssl.SSLContext | None:
    certificate, key = section.tls_certificate, section.tls_key
    return None if certificate is None or key is None else tls_server_context(certificate, key)


def _gate_options(settings: Settings) -> GateOptions:
    gate, upstream = settings.gate, settings.upstream
    return GateOptions(
        trusted_proxies=gate.trusted_proxies,
        client_ip_from=gate.client_ip_from,
        websocket_reject=gate.websocket_reject,
        operator=gate.operator,
        ends_without_host=upstream.ends_without_host,
        max_connections=connections_possible(gate.max_connections, upstream.max_idle_connections),
        max_head_bytes=gate.max_head_bytes,
        head_timeout=gate.head_timeout,
        body_timeout=gate.body_timeout,
        response_timeout=upstream.response_timeout,
        idle_timeout=gate.idle_timeout,
        send_timeout=gate.send_timeout,
        websocket_idle_timeout=gate.websocket_idle_timeout,
        close_timeout=gate.close_timeout,
    )


def _upstream_options(settings: Settings) -> UpstreamOptions:
    upstream = settings.upstream
    return UpstreamOptions(
        endpoint=upstream.endpoint,
        host_header=upstream.host_header.encode(),
        tls=tls_client_context(upstream.ca_file) if upstream.tls else None,
        connect_timeout=upstream.connect_timeout,
        idle_timeout=upstream.idle_timeout,
        max_idle_connections=upstream.max_idle_connections,
    )
