"""Every scenario, by family, in the order of the page."""

from typing import Final

from tests.reliability.databases import DATABASES
from tests.reliability.ejecting import EJECTING
from tests.reliability.greedy import GREEDY
from tests.reliability.overload import OVERLOAD
from tests.reliability.process import PROCESS
from tests.reliability.scenario import Scenario
from tests.reliability.slow import SLOW
from tests.reliability.upstream import UPSTREAM

FAMILIES: Final[dict[str, tuple[Scenario, ...]]] = {
    "Slow clients": SLOW,
    "Greedy clients": GREEDY,
    "Too many clients": OVERLOAD,
    "Meeting servers that fail": UPSTREAM,
    "Ejections": EJECTING,
    "The process": PROCESS,
    "Databases": DATABASES,
}
