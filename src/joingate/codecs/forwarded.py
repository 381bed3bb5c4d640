"""What the upstream is told about the client: X-Forwarded-For, X-Forwarded-Proto and Forwarded (RFC 7239).

Only the header that the operator has named is believed and continued, and only from a trusted peer; the others
are written anew. So an upstream that reads any of them reads what the gate has found out.
"""

from joingate.core.client_address import ClientIpFrom
from joingate.core.model import Address

ClientAddressValues = dict[bytes, list[bytes]]


def build_forwarded_lines(remote_ip: Address | None, proto: bytes) -> bytes:
    """Return the three lines for a peer that is the client itself; None is a peer on a unix socket."""
    if remote_ip is None:
        return b"X-Forwarded-Proto: %b\r\n" % proto
    return b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nForwarded: %b\r\n" % (
        str(remote_ip).encode(),
        proto,
        _element(remote_ip, proto),
    )


def continue_forwarded_lines(
    remote_ip: Address | None,
    client_ip: Address | None,
    proto: bytes,
    values: ClientAddressValues,
    source: ClientIpFrom,
) -> bytes:
    """Return the three lines for a trusted peer: its chain continued in the header it is trusted for.

    Args:
        remote_ip: the trusted peer; None on a unix socket.
        client_ip: the client as resolved; None when undeterminable.
        proto: the scheme of this connection, used where the peer does not say.
        values: client-address headers as received.
        source: the header that is believed.
    """
    told = values.get(b"x-forwarded-proto", [])
    if len(told) == 1 and told[0] in {b"http", b"https"}:
        proto = told[0]
    first = [] if client_ip is None else [client_ip]
    addresses = first if remote_ip is None or remote_ip == client_ip else [*first, remote_ip]
    own_chain = b", ".join(str(address).encode() for address in addresses)
    own_elements = b", ".join(_element(address, proto) for address in addresses)
    if source is ClientIpFrom.X_FORWARDED_FOR:
        own_chain = _continue(
            values.get(b"x-forwarded-for", []), None if remote_ip is None else str(remote_ip).encode()
        )
    elif source is ClientIpFrom.FORWARDED:
        own_elements = _continue(
            values.get(b"forwarded", []), None if remote_ip is None else _element(remote_ip, proto)
        )
    lines = [b"X-Forwarded-For: %b\r\n" % own_chain] if own_chain else []
    lines.append(b"X-Forwarded-Proto: %b\r\n" % proto)
    if own_elements:
        lines.append(b"Forwarded: %b\r\n" % own_elements)
    return b"".join(lines)


def _continue(received: list[bytes], hop: bytes | None) -> bytes:
    """Join all lines of a header in order, and add this hop on the right."""
    return b", ".join([*received, hop] if hop is not None else received)


def _element(address: Address, proto: bytes) -> bytes:
    node = str(address) if address.version == 4 else f'"[{address}]"'
    return b"for=%b;proto=%b" % (node.encode(), proto)
