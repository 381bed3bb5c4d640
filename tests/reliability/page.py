"""docs/reliability.md: made of what came of the scenarios, and of what other tests hold."""

from collections import Counter
from typing import Final

from tests.reliability.elsewhere import Held
from tests.reliability.scenario import Result, Scenario

INTRODUCTION: Final = """\
# Reliability

Faults and hostile input, how often each was tried, what whoever is connected is promised of it, and what happened. Made
by `make reliability`, which takes some ten minutes; the same scenarios run in `make test`, a few times each.

In each scenario a gate of its own serves ten people in five meetings, who talk 25 times a second each. Beside its own
promise every scenario holds these: none of the ten is cut, loses a message or gets one out of order; somebody whom an
order means tries to join all the while and never gets in; afterwards strangers can join and talk; nothing unforeseen
is in the log. A verdict is computed, never written. *p99* is of the time in which the ten's messages came back, against
the time before, on one machine with the hostile clients, the meeting server and the ten beside the gate: told, not
judged.
"""


def render(rows: dict[str, list[tuple[Scenario, Result]]], held: list[tuple[Held, Counter[str]]]) -> str:
    """Write the page."""
    parts = [INTRODUCTION]
    for family, results in rows.items():
        lines = [_row(scenario, result) for scenario, result in results]
        parts.append(
            f"## {family}\n\n| what is done | times | promised | seen | measured | verdict |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
        )
    parts.append(
        "## Held by other tests\n\n| what is done | promised | by | tests | verdict |\n|---|---|---|---|---|\n"
        + "\n".join(_held(*each) for each in held)
        + "\n"
    )
    return "\n".join(parts)


def _row(scenario: Scenario, result: Result) -> str:
    seen = ", ".join(f"{what}: {count}" for what, count in sorted(result.seen.items()))
    cells = (
        *(scenario.name, str(result.tried), scenario.promise, seen),
        *("; ".join(result.figures), result.verdict),
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _held(held: Held, outcomes: Counter[str]) -> str:
    where = ", ".join(f"`{test}`" for test in held.tests)
    return f"| {_cell(held.what)} | {_cell(held.promise)} | {where} | {outcomes.total()} | {verdict_of(outcomes)} |"


def verdict_of(outcomes: Counter[str]) -> str:
    """Say how tests elsewhere ended."""
    if outcomes["failed"] or not outcomes["passed"]:
        return f"BROKEN: {outcomes['failed']} of {outcomes.total()} failed" if outcomes.total() else "BROKEN: no tests"
    return f"held; {outcomes['skipped']} skipped" if outcomes["skipped"] else "held"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
