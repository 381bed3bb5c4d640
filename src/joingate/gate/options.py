"""What the data plane needs to know from the configuration, as plain values."""

from dataclasses import dataclass, field
from typing import Final, Literal

from joingate.core.client_address import ClientIpFrom, TrustedProxies

MOST_TURNED_AWAY: Final = 512
"""Connections too many that are kept until they have read why, for `close_timeout` at most; others are closed at once,
and a reset may then take the answer away from whoever was sending."""


def turned_away_at_most(connections: int) -> int:
    """Return how many such there may be beside so many connections: an eighth of a small gate's, too."""
    return min(MOST_TURNED_AWAY, connections // 8 + 1)


@dataclass(frozen=True, slots=True)
class GateOptions:
    """How the gate treats downstream connections. Times in seconds, sizes in bytes; see `joingate schema config`."""

    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)
    client_ip_from: ClientIpFrom = ClientIpFrom.PEER
    websocket_reject: Literal["http", "close"] = "http"
    operator: str = ""
    ends_without_host: bool = False
    max_connections: int = 20_000
    max_head_bytes: int = 16_384
    head_timeout: float = 10.0
    body_timeout: float = 30.0
    response_timeout: float = 60.0
    idle_timeout: float = 75.0
    send_timeout: float = 60.0
    websocket_idle_timeout: float = 0.0
    close_timeout: float = 5.0
