"""The atlas in use: every database and override together. Immutable; a swap replaces it whole."""

import math
from collections.abc import Sequence

from joingate.core.client_address import embeds_chosen_ipv4
from joingate.core.location import agree
from joingate.core.model import UNKNOWN, Address, Cause, Location
from joingate.core.territory import Territory
from joingate.geodb.database import Database
from joingate.geodb.overrides import Overrides

_DAY = 86400


class Atlas:
    """Answers the phase `locate`.

    Attributes:
        databases: in the order configured.
        overrides: what goes before them.
        max_age_days: the age at which databases are no longer believed; 0 is never.
        stale_at: the POSIX second after which they are not; None where that never comes.
    """

    __slots__ = ("_believed_until", "_has_overrides", "_only", "databases", "max_age_days", "overrides", "stale_at")

    def __init__(self, databases: Sequence[Database], overrides: Overrides, max_age_days: int) -> None:
        self.databases = tuple(databases)
        self.overrides = overrides
        self.max_age_days = max_age_days
        self.stale_at = min(self.build_epochs) + max_age_days * _DAY if max_age_days and databases else None
        self._believed_until = math.inf if self.stale_at is None else self.stale_at
        self._has_overrides = len(overrides) > 0
        self._only = self.databases[0] if len(self.databases) == 1 else None

    def is_like(self, other: "Atlas") -> bool:
        """Whether both are the same databases, under the same overrides, believed for as long."""
        return (
            len(self.databases) == len(other.databases)
            and all(ours is theirs for ours, theirs in zip(self.databases, other.databases, strict=True))
            and (self.overrides, self.max_age_days) == (other.overrides, other.max_age_days)
        )

    @property
    def build_epochs(self) -> tuple[int, ...]:
        """POSIX seconds at which each database was built, in their order."""
        return tuple(database.vetting.build_epoch for database in self.databases)

    @property
    def errors(self) -> int:
        """Lookups that a database's reader failed at."""
        return sum(database.errors for database in self.databases)

    def locate(self, address: Address | None, now: float) -> Location:
        """Say where `address` is, or why that is unknown.

        Args:
            address: client_ip as `parse_address` gives it, or None where it could not be determined.
            now: POSIX seconds.
        """
        if address is None or embeds_chosen_ipv4(address):
            return UNKNOWN[Cause.ADDRESS_UNDETERMINABLE]
        if self._has_overrides and (known := self.overrides.get(address)) is not None:
            return known
        if now > self._believed_until:
            return UNKNOWN[Cause.STALE]
        if self._only is None:
            return agree([database.get(address) for database in self.databases], address)
        location = self._only.get(address)
        # One database agrees with itself; only what it does not place needs looking into.
        return location if location.cause is None else agree((location,), address)

    def names(self, code: str) -> bool:
        """Whether anybody can be located in the ISO 3166-1 or 3166-2 code: all databases, or an override, answer it."""
        return code in self.overrides.codes or (bool(self.databases) and all(db.names(code) for db in self.databases))

    def unenforceable(self, territory: Territory) -> frozenset[str]:
        """Return the codes of `territory` in which nobody can be located: finer than the data, or absent from it."""
        return frozenset(code for code in territory if not self.names(code))
