"""From where a meeting's participants come, as roughly as it can be told without pointing at anybody.

Each country is given by tens, and small numbers not at all: neither one answer nor the difference between two of them
tells of one person's coming or going, but for the one who makes a ten full. There is no total to work anything out of.
"""

from collections import Counter
from collections.abc import Iterable

from joingate.core.location import UNKNOWN_PLACE
from joingate.core.model import Location

STEP = 10


def census(locations: Iterable[Location]) -> dict[str, str]:
    """Count locations by country.

    Returns:
        ISO 3166-1 code, or "unknown", to "<10", "10+", "20+" and so on, sorted.
    """
    counts = Counter(location.country or UNKNOWN_PLACE for location in locations)
    return {
        place: f"<{STEP}" if count < STEP else f"{count // STEP * STEP}+" for place, count in sorted(counts.items())
    }
