"""The demo's ledger, looked at as a stranger would: from its files alone."""

import asyncio
import time
from pathlib import Path

from joingate.core.audit_findings import Finding
from joingate.ledger.prove import prove_receipt
from joingate.ledger.verify import Verification, verify_ledger

SHOWN = ("checkpoints", "sequence", "territory", "told", "meetings_ended", "accounts_touched", "ejections", "personal")
"""What of a verification there is room for on a screen."""


async def verified(ledger: Path, patience: float) -> Verification:
    """Verify the ledger of a gate that serves, once it has signed all that it has written; wait `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        found = await asyncio.to_thread(verify_ledger, ledger)
        if found.signed == found.records or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)


def shown(found: Verification) -> list[Finding]:
    """Return the findings that are shown: those above, and whatever does not hold."""
    return [finding for finding in found.findings if finding.name in SHOWN or not finding.holds]


async def is_proved(ledger: Path, receipt: str) -> bool:
    """Whether the record of a receipt is there, with a proof under the newest checkpoint."""
    found = await asyncio.to_thread(prove_receipt, ledger, receipt)
    return found is not None and found.proof is not None
