"""How the ledger speaks of a meeting without naming it.

The salt is made of a secret, the rule and the meeting. So the records of one meeting under one rule can be counted as
one, nobody without the salt can try ids against them, and nothing links them to the same meeting under another rule.
Whoever runs the gate can hand a meeting's host the salt: with it the host finds what was done in that meeting.

Source: RFC 2104 (HMAC); FIPS 180-4 (SHA-256).
"""

import hashlib
import hmac


def salt_of(key: bytes, rule: str, meeting: str) -> bytes:
    """Return the 32 bytes that open the commitment to `meeting` under `rule`.

    Args:
        key: the ledger's secret, 32 bytes.
        rule: an id; it holds no line feed.
        meeting: folded as the meeting server folds it.
    """
    return hmac.digest(key, f"{rule}\n{meeting}".encode("utf-8", "surrogatepass"), "sha256")


def meeting_commitment(salt: bytes, meeting: str) -> str:
    """Return what stands in the record: SHA-256 of the salt followed by the meeting's id in UTF-8, in hexadecimal."""
    return hashlib.sha256(salt + meeting.encode("utf-8", "surrogatepass")).hexdigest()
