"""The processes of a benchmark: started, pinned, measured by the kernel's own accounting, and stopped by process id."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PROXY_CPU = "0"
"""The processor of whatever is measured; everything else runs on OTHER_CPU."""
OTHER_CPU = "1"

_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(command: Sequence[str], cpu: str, port: int, log: Path, seconds: float = 60) -> Iterator[int]:
    """Run `command` on one processor until the block ends; yields its process id once `port` accepts connections."""
    with (
        log.open("ab") as output,
        subprocess.Popen(
            ["taskset", "-c", cpu, *command], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            deadline = time.monotonic() + seconds
            while not _accepts(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(root: int) -> float:
    """Return user + system CPU seconds of a process and its live descendants (proc(5), fields 14 and 15 of stat)."""
    return sum(_own_cpu(pid) for pid in _tree(root))


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def _own_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
