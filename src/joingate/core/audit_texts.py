"""Whether a text that people wrote names somebody: an IP address or a mail address has no place in a ledger (G8).

What is in a ledger stays there, so a text is checked before it is recorded, by the same function that audits it later.
"""

import ipaddress
import re
import unicodedata

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![0-9])(?<![0-9]\.){_OCTET}(?:\.{_OCTET}){{3}}(?![0-9]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f:]*:[0-9a-f]*:[0-9a-f:.]*(?![\w:])", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>()\[\],;:]@[^\s@<>()\[\],;:.]+\.[^\s@<>()\[\],;:.]")


def personal(text: str) -> str | None:
    """Say what in `text` would name somebody: "an IP address" or "a mail address"; None when nothing does.

    Compatibility forms, such as full-width digits, are read as what they stand for (Unicode's NFKC).
    """
    plain = unicodedata.normalize("NFKC", text)
    if _MAIL.search(plain) is not None:
        return "a mail address"
    if _IPV4.search(plain) is not None or any(map(_is_ipv6, _IPV6.findall(plain))):
        return "an IP address"
    return None


def _is_ipv6(text: str) -> bool:
    try:
        return int(ipaddress.IPv6Address(text.rstrip("."))) > 0
    except ValueError:
        return False
