"""Run fuzzers for some seconds each; a finding is printed in base64, and the exit status is 1."""

import argparse
import asyncio
import sys
import time
from base64 import b64encode
from functools import partial

from tests.fuzz.running import NAMES, Finding, load, run


async def fuzz(names: list[str], seconds: float, seed: int) -> bool:
    """Run each fuzzer in turn; return whether nothing was found.

    A coroutine, because a connection asks for the running loop; none of them ever waits.
    """
    is_clean = True
    for name in names:
        fuzzer = load(name)
        is_time = partial(_is_before, time.monotonic() + seconds)
        try:
            count = run(fuzzer, seed, while_=is_time)
        except Finding as finding:
            is_clean = False
            _say(f"{name}: seed {seed}, input {finding.number}: {finding.__cause__!r}")
            _say(b64encode(finding.data).decode())
        else:
            _say(f"{name}: {count} inputs, nothing found")
    return is_clean


def _is_before(end: float) -> bool:
    return time.monotonic() < end


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each fuzzer (60)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other inputs (0)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all unless named")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"there is no fuzzer {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return 0 if asyncio.run(fuzz(given.names or list(NAMES), given.seconds, given.seed)) else 1


if __name__ == "__main__":
    sys.exit(main())
