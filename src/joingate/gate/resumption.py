"""What lost connections have left on the meeting server, to be judged anew when somebody takes it over.

A resumption names no meeting: an XMPP <resume>, a Janus `claim` or a BigBlueButton session token brings in whoever the
other connection carried. So the gate remembers, in memory alone and for as long as the server does, which joins a
token stands for. There is no address here: whoever comes with a token is judged by where they come from.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from joingate.core.model import Join

MOST: Final = 100_000
"""Tokens remembered; the oldest go first, and whoever comes with one of those joins anew."""

LEAST_SECONDS: Final = 300.0
"""For which a token is remembered, though the server keeps nobody so long: a page may have to load in between."""


class Holder(Protocol):
    """A live connection whose participants another one may take over."""

    def joins_at(self, place: tuple[str, ...]) -> Sequence[Join]:
        """Return by which joins those came whom the server may have still, and whose place begins so."""

    def give_up(self, place: tuple[str, ...]) -> None:
        """Let go of them: they are on another connection now."""


class Resumption:
    """Every token that the gate knows."""

    def __init__(self, seconds: float, time: Callable[[], float]) -> None:
        """Remember what is left for `seconds`, and not less than LEAST_SECONDS, by the clock `time`."""
        self._seconds = max(seconds, LEAST_SECONDS)
        self._time = time
        self._live: dict[str, dict[Holder, None]] = {}
        self._left: dict[str, tuple[float, Sequence[Join]]] = {}  # in the order of their ends

    def hold(self, token: str, holder: Holder) -> None:
        """Note that a live connection can be taken over, or shared, by `token`."""
        self._left.pop(token, None)
        self._live.setdefault(token, {})[holder] = None

    def leave(self, token: str, holder: Holder, joins: Sequence[Join]) -> None:
        """Note that the connection is gone; what it leaves is remembered, unless others have the token too."""
        holders = self._live.get(token, {})
        if holder in holders:
            del holders[holder]
            if not holders:
                del self._live[token]
                self.keep(token, joins)

    def keep(self, token: str, joins: Sequence[Join]) -> None:
        """Remember what a token stands for."""
        self._forget_old()
        self._left.pop(token, None)
        self._left[token] = (self._time() + self._seconds, joins)

    def find(self, token: str, place: tuple[str, ...]) -> Sequence[Join] | None:
        """Return by which joins those came whom `token` would bring along; None: it is not known."""
        holders = self._live.get(token)
        if holders is not None:
            return list(dict.fromkeys(join for holder in holders for join in holder.joins_at(place)))
        self._forget_old()
        left = self._left.get(token)
        return None if left is None else [join for join in left[1] if join.place[: len(place)] == place]

    def take(self, token: str, place: tuple[str, ...], taker: Holder) -> None:
        """Note that `taker` carries them now, and nobody else."""
        for holder in self._live.pop(token, {}):
            if holder is not taker:
                holder.give_up(place)
        self.hold(token, taker)

    def _forget_old(self) -> None:
        now = self._time()
        while self._left:
            token = next(iter(self._left))
            if len(self._left) < MOST and self._left[token][0] > now:
                return
            del self._left[token]
