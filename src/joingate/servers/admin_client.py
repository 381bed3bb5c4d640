"""What the gate asks of a meeting server about one participant; one file beside this one for each kind of server.

Nothing here can end, close, lock or delete a meeting, or touch an account: there are no words for it (G3, G4), and
`tests/test_adapters_subtract.py` holds the adapters to that.
"""

from typing import NamedTuple, Protocol


class Whom(NamedTuple):
    """One participant in one meeting, as a join has named them (core.model.Join)."""

    meeting: str
    participant: str | None
    place: tuple[str, ...] = ()


class ServerError(Exception):
    """The meeting server could not be asked, or did not do as asked.

    The text is for the operator: it names the server's error, never a meeting, a participant or a secret.
    """


class AdminClient(Protocol):
    """A meeting server's interface, as far as an ejection needs it. Each call ends within some seconds."""

    async def remove(self, whom: Whom) -> None:
        """Ask the server to remove one participant from one meeting; that they are gone already is no error.

        Raises:
            ServerError: it did not.
        """

    async def is_present(self, whom: Whom) -> bool:
        """Whether the server still has them in the meeting.

        Raises:
            ServerError: it did not say.
        """
