"""The parts that several processes of one gate have in keeping its ledger: one says what is in use, all record."""

from enum import Enum
from typing import Final

EXPIRY_DELAY: Final = 1.0
"""Seconds that a leader waits after an order's end before it says so: a follower may still be writing down what it
decided while the order was in force, and no restriction may stand behind the end of what it rests on."""


class Role(Enum):
    """Which of a gate's processes keeps a journal."""

    ALONE = "alone"  # the only one: it does everything
    LEADER = "leader"  # says what rules and databases are in use, when orders end, and that the gate is alive
    FOLLOWER = "follower"  # records what it does itself, by what the leader has declared

    def tells_end(self, closes: float, now: float) -> bool:
        """Whether it is for this one, and time, to record that the order that closes at `closes` is over."""
        if self is Role.FOLLOWER:
            return False
        return closes + (EXPIRY_DELAY if self is Role.LEADER else 0.0) <= now
