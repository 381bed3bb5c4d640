"""The status as Prometheus metrics.

Labels are verdicts, reasons, causes and rule ids: never a country, never a meeting (G8).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


class _OneStatus(Collector):
    def __init__(self, status: dict[str, Any]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        return _families(self._status)


def render_metrics(status: dict[str, Any]) -> bytes:
    """Return the text exposition (version 0.0.4) of a status as `build_status` gives it."""
    registry = CollectorRegistry()
    registry.register(_OneStatus(status))
    return generate_latest(registry)


def _families(status: dict[str, Any]) -> Iterator[Metric]:
    yield _gauge("participants", "Participants inside, over all meetings.", status["participants"])
    yield _gauge("meetings", "Meetings with a participant.", status["meetings"])
    yield _gauge("connections", "Downstream connections.", status["connections"])
    if workers := status["workers"]:
        serving = sum(each["state"] == "serving" for each in workers)
        yield _gauge("workers", "Workers that serve.", serving)
        restarts = sum(each["restarts"] for each in workers)
        yield _counter("worker_restarts", "How often another worker took one's place.", (), {(): restarts})
    yield _gauge("rules", "Rules loaded.", status["rules"]["count"])
    yield _gauge("orders_in_force", "Orders whose time window is open.", status["rules"]["orders_in_force"])
    yield _gauge(
        "rule_warnings", "Orders that name territory nobody can be located in.", len(status["rules"]["warnings"])
    )
    yield _gauge(
        "degraded",
        "1 when a reload failed, the databases are stale or a worker is missing.",
        int(status["state"] == "degraded"),
    )
    yield _gauge("geodb_stale", "1 when the databases are older than max_age_days.", int(status["geodb"]["is_stale"]))
    yield _labelled_gauge(
        "geodb_build_epoch_seconds",
        "When each database was built.",
        "database",
        {each["path"]: each["build_epoch"] for each in status["geodb"]["databases"]},
    )
    yield _labelled_gauge("info", "The revision in use.", "revision", {status["rules"]["revision"]: 1})
    yield _counter("geodb_lookup_errors", "Lookups that failed.", (), {(): status["geodb"]["lookup_errors"]})
    ledger = status["ledger"]
    yield _gauge("ledger_records", "Records in the ledger.", ledger["records"])
    yield _gauge(
        "ledger_failing",
        "1 while the ledger cannot be written and nobody is restricted.",
        int(ledger["problem"] is not None),
    )
    yield _counter(
        "unrecorded", "Restrictions not carried out because the ledger failed.", (), {(): ledger["unrecorded"]}
    )
    ejections = status["ejections"] or {"under_way": 0, "still_present": 0}
    yield _gauge("ejections_under_way", "Ejections whose end is not known yet.", ejections["under_way"])
    yield _gauge(
        "still_present",
        "Ejected participants who are cut off and still on the meeting server.",
        ejections["still_present"],
    )
    reloads = status["reloads"]
    yield _counter(
        "reloads", "Reloads by result.", ("result",), {("ok",): reloads["succeeded"], ("failed",): reloads["failed"]}
    )
    yield _counter(
        "decisions",
        "Decisions by verdict and reason.",
        ("verdict", "reason"),
        {(each["verdict"], each["reason"]): each["count"] for each in status["decisions"]},
    )
    yield _counter(
        "restrictions",
        "Participants restricted, by rule and verdict.",
        ("rule", "verdict"),
        {(each["rule"], each["verdict"]): each["count"] for each in status["by_rule"]},
    )
    yield _counter(
        "shadowed",
        "Participants whom a rule in shadow would have restricted.",
        ("rule",),
        {(rule,): count for rule, count in status["shadowed"].items()},
    )
    yield _counter(
        "doubt_admitted",
        "Participants admitted because their location is unknown, by cause.",
        ("cause",),
        {(cause,): count for cause, count in status["doubt_admitted"].items()},
    )
    yield _counter("left", "Participants who left by themselves.", (), {(): status["left"]})


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"joingate_{name}", meaning, value=value)


def _labelled_gauge(name: str, meaning: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"joingate_{name}", meaning, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family


def _counter(name: str, meaning: str, labels: tuple[str, ...], values: dict[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(f"joingate_{name}", meaning, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family
