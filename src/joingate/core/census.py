"""From where a meeting's participants come, as roughly as it can be told without pointing at anybody.

Each country is given by tens, and small numbers not at all: neither one answer nor the difference between two of them
tells of one person's coming or going, but for the one who makes a ten full. There is no total to work anything out of.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from joingate.core.location import UNKNOWN_PLACE
from joingate.core.model import Location

STEP = 10


def count_places(locations: Iterable[Location]) -> Counter[str]:
    """Count locations by country, or "unknown". Exact: for no other eyes than those of `census`."""
    return Counter(location.country or UNKNOWN_PLACE for location in locations)


def census(counts: Mapping[str, int]) -> dict[str, str]:
    """Say by tens what `count_places` has counted; what several processes counted is added up before, never after.

    Returns:
        ISO 3166-1 code, or "unknown", to "<10", "10+", "20+" and so on, sorted.
    """
    return {
        place: f"<{STEP}" if count < STEP else f"{count // STEP * STEP}+" for place, count in sorted(counts.items())
    }
