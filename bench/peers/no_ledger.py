"""joingate serve without a ledger, which nobody can configure: what bench.ledger_admissions holds the real one against.

python bench/peers/no_ledger.py CONFIG
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from joingate import app
from joingate.codecs.ledger_rules import Declaration
from joingate.core.record import Database
from joingate.core.rule_set import RuleSet
from joingate.ledger.journal import Journal
from joingate.settings import load_settings


class NoLedger(Journal):
    """Takes no record, and is asked for none: every join of the load is admitted."""

    def open(self) -> None:
        pass

    def declare(self, rules: RuleSet) -> Declaration:  # noqa: ARG002 - Journal's signature
        return Declaration((), (), {}, ())

    def use_rules(self, rules: RuleSet, declaration: Declaration) -> None:
        pass

    def use_databases(self, database: Database) -> None:
        pass

    async def keep(self, recovered: Callable[[], Awaitable[object]]) -> None:  # noqa: ARG002 - Journal's signature
        self.ended = asyncio.Event()
        await self.ended.wait()

    def stop(self) -> None:
        self.ended.set()


if __name__ == "__main__":
    vars(app)["Journal"] = NoLedger
    app.run(load_settings(Path(sys.argv[1]), {}))
