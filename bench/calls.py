"""How many Python functions does a join call? A count, the same on every run, so that CI can hold it; times it cannot.

    python -m bench.calls [--update]

Counts calls of Python functions and of C functions for one admitted join (`bench.in_process`), after others have warmed
what is warmed once, with and without a trusted proxy in front. Compared with `baseline.json`: growth by more than 10 %
is refused, with the functions that are called most. `--update` writes what is found there: for a growth that is wanted,
and for a gain that is to be kept.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from bench.in_process import Line
from bench.judging import rules_of

BASELINE = Path(__file__).parent / "baseline.json"
GROWTH = 1.10
WARM = 50
CASES = {"behind a proxy": True, "direct": False}

Counts = dict[str, dict[str, int]]


def main() -> int:
    """Count; exit status 1 when there are too many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the baseline anew")
    chosen = parser.parse_args()
    found = {case: count_calls(behind_proxy=behind) for case, behind in CASES.items()}
    counts = {case: totals(calls) for case, calls in found.items()}
    for case, each in counts.items():
        print(f"{case}: {each['python']} calls of Python functions, {each['c']} of C functions")
    if chosen.update:
        BASELINE.write_text(json.dumps(counts, indent=2) + "\n")
        return 0
    grown = growth(json.loads(BASELINE.read_text()), counts)
    for line in grown:
        print(line)
    if grown:
        for (_, name), count in found["behind a proxy"].most_common(12):
            print(f"  {count:4} {name}")
    return bool(grown)


def growth(baseline: Counts, counts: Counts) -> list[str]:
    """Say which counts have grown by more than 10 %, or are in no baseline."""
    lines = []
    for case, each in counts.items():
        for kind, count in each.items():
            before = baseline.get(case, {}).get(kind)
            if before is None:
                lines.append(f"{case}, {kind}: not in the baseline; write it with: python -m bench.calls --update")
            elif count > before * GROWTH:
                lines.append(f"{case}, {kind}: {count} calls, {before} in the baseline: more than 10 % more")
    return lines


def totals(calls: Counter[tuple[str, str]]) -> dict[str, int]:
    """Return how many calls there were of each kind."""
    return {kind: sum(count for (of, _), count in calls.items() if of == kind) for kind in ("python", "c")}


def count_calls(*, behind_proxy: bool) -> Counter[tuple[str, str]]:
    """Return how often one join calls what, by kind and name."""
    with asyncio.Runner() as runner:
        return runner.run(_count(behind_proxy=behind_proxy))


async def _count(*, behind_proxy: bool) -> Counter[tuple[str, str]]:
    line = Line(rules_of(1000), behind_proxy=behind_proxy)
    for _ in range(WARM):
        line.join()
    calls: Counter[tuple[str, str]] = Counter()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            calls["python", f"{Path(code.co_filename).stem}.{code.co_qualname}"] += 1
        elif event == "c_call":
            calls["c", getattr(argument, "__qualname__", repr(argument))] += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        line.join()
    finally:
        sys.setprofile(before)
    return calls


if __name__ == "__main__":
    sys.exit(main())
