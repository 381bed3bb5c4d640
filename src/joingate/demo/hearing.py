"""What a listener has missed: the sender's own numbers against those that arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(slots=True)
class Stretch:
    """What one sender has sent over one connection: the numbers from `first` to `last`; none while last < first.

    Attributes:
        cut: whether the connection was closed under the sender, so that the last messages may never have left.
    """

    first: int
    last: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one listener heard one sender.

    Attributes:
        received: messages that arrived.
        lost: numbers sent that never arrived.
        repeated: arrivals of a number that had arrived before, or had not been sent.
        disordered: arrivals of a smaller number after a greater one.
    """

    received: int
    lost: int
    repeated: int
    disordered: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, nothing came twice and everything came in its order."""
        return not (self.lost or self.repeated or self.disordered)


def compare(heard: Sequence[int], said: Sequence[Stretch]) -> Hearing:
    """Compare what a listener heard of one sender with what that sender sent, while the listener was there throughout.

    In a stretch that was cut, messages after the last one that arrived are not counted as lost: they were written to
    a connection that had just been closed. Everything before it counts.
    """
    arrived = set(heard)
    lost, expected = 0, set[int]()
    for stretch in said:
        sent = range(stretch.first, stretch.last + 1)
        if stretch.cut:
            sent = range(stretch.first, max((seq for seq in arrived if seq in sent), default=stretch.first - 1) + 1)
        expected.update(sent)
        lost += sum(seq not in arrived for seq in sent)
    return Hearing(
        received=len(heard),
        lost=lost,
        repeated=len(heard) - len(arrived & expected),
        disordered=sum(later < earlier for earlier, later in pairwise(heard)),
    )
