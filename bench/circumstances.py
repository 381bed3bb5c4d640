"""Under what circumstances a figure came about: by which command, when, and on which machine."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path


def command_line() -> str:
    """Return what a person writes to run this again."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    program = "python" if spec is None else f"python -m {spec.name}"
    given = sys.argv[1:]
    if "--results" in given:  # where the figures went says nothing about them
        at = given.index("--results")
        del given[at : at + 2]
    return " ".join([program, *given])


def minute_now() -> str:
    """Return the time in UTC, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


def this_machine() -> str:
    """Say on what this runs, as far as it bears on the figures."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, {python}, load {load:.1f}"
