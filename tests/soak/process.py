"""The gate's process as the kernel sees it: memory, descriptors, threads and time, second by second (proc(5))."""

import asyncio
import contextlib
import json
import os
import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.charts import draw
from bench.circumstances import command_line, minute_now, this_machine
from bench.record import Plot

from tests.soak.account import Account, Row
from tests.soak.slope import slope_of

EVERY = 1.0  # seconds
MOST_THREADS = min(32, (os.cpu_count() or 1) + 4) + 2
"""asyncio's default executor has up to so many (concurrent.futures), beside the loop's own and one of the C library."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look.

    Attributes:
        at: seconds since the first.
        resident: KB, all of it.
        anonymous: KB, without pages of files and of shared memory.
        descriptors: open.
        cpu: user and system seconds so far.
    """

    at: float
    resident: int
    anonymous: int
    descriptors: int
    threads: int
    cpu: float


def look(pid: int, at: float) -> Sample:
    """Look at a process."""
    proc = Path(f"/proc/{pid}")
    fields = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
    stat = (proc / "stat").read_text().rpartition(")")[2].split()
    return Sample(
        at,
        int(fields["VmRSS"].split()[0]),
        int(fields["RssAnon"].split()[0]),
        sum(1 for _ in (proc / "fd").iterdir()),
        int(fields["Threads"]),
        (int(stat[11]) + int(stat[12])) / _TICKS,
    )


def open_files(pid: int) -> str:
    """Say what a process has open: how many of each kind."""
    found: Counter[str] = Counter()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # it has been closed meanwhile
            found[str(each.readlink()).partition(":[")[0]] += 1
    return ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))


async def keep_looking(pid: int, samples: list[Sample]) -> None:
    """Look each second, until cancelled or until the process has ended."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            samples.append(look(pid, loop.time() - began))
        except (OSError, KeyError):  # it has ended; who started it will say so
            return
        await asyncio.sleep(max(0.0, began + len(samples) * EVERY - loop.time()))


def judge(samples: Sequence[Sample], account: Account) -> None:
    """Hold a series against what was promised."""
    account.note_tried(Row.MEMORY, len(samples))
    account.note_tried(Row.THREADS, len(samples))
    slope = slope_of([(sample.at, float(sample.resident)) for sample in samples])
    if slope is not None and slope.is_growing:
        account.note_lost(Row.MEMORY, str(slope))
    if samples and (most := max(sample.threads for sample in samples)) > MOST_THREADS:
        account.note_lost(Row.THREADS, f"{most}, and {MOST_THREADS} are accounted for")
    if samples:
        first, last = samples[0], samples[-1]
        said = "too short a run to say how it grows" if slope is None else str(slope)
        account.notes.append(f"resident memory: {first.resident:,} KB first, {last.resident:,} KB last; {said}")
        most_open = max(sample.descriptors for sample in samples)
        account.notes.append(f"descriptors: at most {most_open}; threads: at most {max(s.threads for s in samples)}")
        share = (last.cpu - first.cpu) / (last.at - first.at) if last.at > first.at else 0.0
        own = resource.getrusage(resource.RUSAGE_SELF)
        others = (own.ru_utime + own.ru_stime) / (last.at - first.at) if last.at > first.at else 0.0
        account.notes.append(f"the gate used {share:.0%} of a core; clients, meeting server and oracle {others:.0%}")


def write_series(samples: Sequence[Sample], path: Path) -> None:
    """Write the series as JSON, and beside it a plot."""
    slope = slope_of([(sample.at, float(sample.resident)) for sample in samples])
    about = {
        "command": command_line(),
        "date": minute_now(),
        "machine": this_machine(),
        "slope_kb_per_minute": None if slope is None else asdict(slope) | {"interval": slope.interval},
        "is_growing": None if slope is None else slope.is_growing,
    }
    rows = [list(asdict(sample).values()) for sample in samples]
    document = about | {"columns": list(Sample.__dataclass_fields__), "samples": rows}
    path.write_text(json.dumps(document, indent=1) + "\n")
    lines = {
        "resident": [(sample.at / 60, sample.resident / 1024) for sample in samples],
        "anonymous": [(sample.at / 60, sample.anonymous / 1024) for sample in samples],
    }
    plot = Plot("memory", "Memory of the gate's process", "minutes", "MiB", lines)
    path.with_suffix(".svg").write_text(draw(plot))
