"""Carry out every scenario at its full size, run what is held elsewhere, and write docs/reliability.md.

    python -m tests.reliability [--small] [--only WORDS]

`--only` and `--small` print what came of it, and write nothing. Exit status 1 where a promise was not kept.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from joingate.geodb.build import build
from tests.reliability import elsewhere
from tests.reliability.families import FAMILIES
from tests.reliability.page import render, verdict_of
from tests.reliability.scenario import Result, Scenario
from tests.reliability.stage import ROOT, carry_out

PAGE = ROOT / "docs" / "reliability.md"
FILES = 16_384


def main() -> int:
    """Do it all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="as few times as in the suite")
    parser.add_argument("--only", default="", help="only scenarios whose names have these words")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "demo.mmdb"
        build(ROOT / "geodb" / "demo.csv", database)
        rows: dict[str, list[tuple[Scenario, Result]]] = {}
        for family, scenarios in FAMILIES.items():
            rows[family] = [
                (each, _do(each, folder, database, small=arguments.small))
                for each in scenarios
                if arguments.only in each.name
            ]
        if arguments.only or arguments.small:
            return int(any(result.broken for results in rows.values() for _, result in results))
        held = elsewhere.run(elsewhere.ELSEWHERE, folder)
    PAGE.write_text(render(rows, held))
    broken = [each for results in rows.values() for _, each in results if each.verdict.startswith("BROKEN")]
    return int(bool(broken) or any(verdict_of(outcomes).startswith("BROKEN") for _, outcomes in held))


def _do(scenario: Scenario, folder: Path, database: Path, *, small: bool) -> Result:
    path = Path(tempfile.mkdtemp(dir=folder))
    result = asyncio.run(carry_out(scenario, scenario.small if small else scenario.full, path, database))
    print(f"{scenario.name}: {dict(result.seen)}; {'; '.join(result.figures)}: {result.verdict}", flush=True)  # noqa: T201
    return result


if __name__ == "__main__":
    sys.exit(main())
