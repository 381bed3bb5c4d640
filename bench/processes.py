"""The processes of a benchmark: started, pinned, measured by the kernel's own accounting, and stopped by process id."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from joingate.demo.gate_process import free_ports

PROXY_CPU = "0"
"""The processor of whatever is measured; everything else runs on OTHER_CPU."""
OTHER_CPU = "1"

_TICKS = os.sysconf("SC_CLK_TCK")


class NotMeasuredError(Exception):
    """Nothing can be said: a program is missing, did not start, or did something else than the work."""


def be_the_client() -> None:
    """Keep this process off the measured processor."""
    os.sched_setaffinity(0, {int(OTHER_CPU)})


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that was free a moment ago, and that the system gives to nobody meanwhile."""
    return free_ports(1)[0]


@contextlib.contextmanager
def started(
    command: Sequence[str],
    cpu: str,
    port: int,
    log: Path,
    *,
    seconds: float = 60,
    is_ready: Callable[[int], bool] | None = None,
    pause: float = 0.05,
) -> Iterator[int]:
    """Run `command` on one processor until the block ends; yields its process id once it is ready.

    Args:
        command: what to run.
        cpu: where.
        port: it accepts connections there when it is ready.
        log: takes what it prints.
        seconds: after which it is given up.
        is_ready: asked with the port; default: whether it accepts connections.
        pause: seconds between two looks.
    """
    asked = is_ready or accepts
    with (
        log.open("ab") as output,
        subprocess.Popen(
            ["taskset", "-c", cpu, *command], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            deadline = time.monotonic() + seconds
            while not asked(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise NotMeasuredError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
                time.sleep(pause)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def accepts(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(root: int) -> float:
    """Return user + system CPU seconds of a process and its live descendants (proc(5), fields 14 and 15 of stat)."""
    return sum(_own_cpu(pid) for pid in tree(root))


def resident_bytes(root: int) -> int:
    """Return the anonymous memory of a process and its live descendants, shared pages by their share (proc(5)).

    Pages of files are left out: a share of a library grows and shrinks as strangers start and end.
    """
    return sum(_own_memory(pid) for pid in tree(root))


def tree(root: int) -> list[int]:
    """Return the ids of a process and its live descendants."""
    found = [root]
    for pid in found:
        for task in _tasks(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                found += map(int, (task / "children").read_text().split())
    return found


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return []


def _own_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _own_memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    raise NotMeasuredError(f"the kernel does not tell the memory of process {pid}")
