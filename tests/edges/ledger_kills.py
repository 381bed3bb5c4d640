"""python -m tests.edges.ledger_kills LEDGER ACKNOWLEDGED KILLS SEED: four processes append to a ledger and are killed.

Each of them writes a line to ACKNOWLEDGED whenever `append` has returned: its number, the first seq, how many records
there were, and the number of the first. It is killed at some moment, whatever it is at, and another takes its place,
until KILLS are dead. Exit status 1 if one ends by itself.
"""

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from joingate.ledger import files as layout
from joingate.ledger.history import History, LedgerUnavailableError
from tests.edges.ledger_whole import HOUR, lifts

LINES = 512
PROCESSES = 4


def write(ledger: Path, acknowledged: Path, number: int, chance: random.Random) -> NoReturn:
    """Append for ever."""
    fd = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    history: History | None = None
    done = 0
    while True:
        try:
            history = history or History.open(ledger, HOUR)
            count = chance.choice((1, 1, 1, 5, 64, 200))
            first = history.append(lifts(*(f"{number}-{n}" for n in range(done, done + count))), HOUR)
            os.write(fd, f"{number} {first} {count} {done}\n".encode())
            done += count
            if chance.random() < 0.3 and (captured := history.capture()) is not None:
                history.make_durable(captured)
        except LedgerUnavailableError as error:
            if "lock" not in str(error):
                raise


def start(ledger: Path, acknowledged: Path, number: int, seed: str) -> int:
    """Start one such process, and return its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        write(ledger, acknowledged, number, random.Random(f"{seed}-{number}"))
    except BaseException:  # noqa: BLE001 - the child must never come back from here
        traceback.print_exc()
        os._exit(1)


def main(ledger: Path, acknowledged: Path, kills: int, seed: str) -> int:
    """Start, kill and replace."""
    layout.LINES_IN_FILE = LINES  # type: ignore[misc]
    chance = random.Random(seed)
    alive = [start(ledger, acknowledged, number, seed) for number in range(PROCESSES)]
    status = 0
    for number in range(PROCESSES, PROCESSES + kills):
        time.sleep(chance.random() * 0.04)
        victim = alive.pop(chance.randrange(len(alive)))
        status |= end(victim)
        if number < kills:
            alive.append(start(ledger, acknowledged, number, seed))
    return status


def end(victim: int) -> int:
    """Kill a process; whether it had ended before."""
    os.kill(victim, signal.SIGKILL)  # its id is its own as long as nobody has waited for it
    _, how = os.waitpid(victim, 0)
    return int(os.waitstatus_to_exitcode(how) != -signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
