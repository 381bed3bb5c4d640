import re

import pytest

from joingate.codecs.page import STYLE
from joingate.codecs.report_style import REPORT_STYLE


def test_it_is_the_style_of_the_other_pages_and_more() -> None:
    assert REPORT_STYLE.startswith(STYLE)
    assert not re.search(r"@import|https?:|url\((?!#)|</", REPORT_STYLE)
    assert REPORT_STYLE.count("{") == REPORT_STYLE.count("}")


def test_what_is_filled_by_a_pattern_names_one_of_the_page() -> None:
    assert set(re.findall(r"url\((#\w+)\)", REPORT_STYLE)) == {"#second", "#masked"}


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ink", ["first", "second", "mask", "alarm", "quiet", "accent"])
def test_bars_and_texts_stand_out_in_both_schemes(scheme: int, ink: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1 on the sheet; 1.4.11 asks for less of a chart."""
    colours: dict[str, str] = {}
    for line in [line for line in REPORT_STYLE.splitlines() if re.search(r"--(paper|first): #", line)][scheme::3][:2]:
        colours |= dict(re.findall(r"--(\w+): (#\w{6})", line))
    light, dark = sorted((_luminance(colours[name]) for name in (ink, "sheet")), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
