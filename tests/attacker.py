"""A reader who wants a hidden number: what can be worked out from what a report shows, by its numbers and its sums.

Written without a look at how numbers are hidden. A shown number is a range: 7 is 7 to 7, "<10" is 1 to 9, "10+" and
"1+" have no end, and None, which is not shown at all, has no beginning either. `narrow` does what anybody can do with
paper and pencil, `other` tries everything: it looks for a table that shows the same and has another number in a place.
Where there is none, the number is given away.
"""

from collections.abc import Hashable, Mapping, Sequence

Ranges = dict[Hashable, tuple[int, int]]
Sum = tuple[Hashable, Sequence[Hashable]]
"""A number, and the numbers that add up to it."""

_ENDLESS = 100_000


def range_of(shown: object) -> tuple[int, int]:
    """Read a number as it is shown."""
    if isinstance(shown, int):
        return shown, shown
    if shown is None:
        return 0, _ENDLESS
    return {"<10": (1, 9), "10+": (10, _ENDLESS), "1+": (1, _ENDLESS)}[str(shown)]


def narrow(shown: Mapping[Hashable, object], sums: Sequence[Sum]) -> Ranges:
    """Return how far each number can be narrowed down by its sums, one after the other until nothing changes."""
    found = _narrow({key: range_of(value) for key, value in shown.items()}, sums)
    assert found is not None, "the numbers contradict each other"
    return found


def _narrow(ranges: Ranges, sums: Sequence[Sum]) -> Ranges | None:
    ranges = dict(ranges)
    changed = True
    while changed:
        changed = False
        for total, parts in sums:
            low, high = sum(ranges[part][0] for part in parts), sum(ranges[part][1] for part in parts)
            at_least, at_most = ranges[total]
            new = [(total, max(at_least, low), min(at_most, high))]
            for part in parts:
                least, most = ranges[part]
                new.append((part, max(least, at_least - high + most), min(most, at_most - low + least)))
            for key, least, most in new:
                if least > most:
                    return None
                if (least, most) != ranges[key]:
                    ranges[key] = least, most
                    changed = True
    return ranges


def other(key: Hashable, number: int, ranges: Ranges, sums: Sequence[Sum]) -> bool:
    """Whether some table shows the same and has another number than `number` at `key`."""
    least, most = ranges[key]
    return any(
        low <= high and _fits({**ranges, key: (low, high)}, sums)
        for low, high in ((max(least, number + 1), most), (least, min(most, number - 1)))
    )


def _fits(ranges: Ranges, sums: Sequence[Sum]) -> bool:
    """Whether some table lies within the ranges."""
    narrowed = _narrow(ranges, sums)
    if narrowed is None:
        return False
    open_ = [key for key, (low, high) in narrowed.items() if low < high]
    if not open_:
        return True
    key = min(open_, key=lambda each: narrowed[each][1] - narrowed[each][0])
    low, high = narrowed[key]
    return any(
        _fits({**narrowed, key: tried}, sums)
        for tried in ((low, low), (high, high), *(((low + 1, high - 1),) if high - low > 1 else ()))
    )


def given_away(
    shown: Mapping[Hashable, object], numbers: Mapping[Hashable, int], sums: Sequence[Sum]
) -> list[Hashable]:
    """Return the hidden numbers that can be nothing but what they are."""
    for total, parts in sums:
        assert numbers[total] == sum(numbers[part] for part in parts), total
    for key, value in shown.items():
        assert range_of(value)[0] <= numbers[key] <= range_of(value)[1], f"{key}: {value} is not true"
    ranges = narrow(shown, sums)
    hidden = [key for key, value in shown.items() if isinstance(value, str)]
    return [key for key in hidden if not other(key, numbers[key], ranges, sums)]
