"""What a person can read of the chart's axes."""

from __future__ import annotations

from playwright.sync_api import Page

CUT_OFF_TEXTS = """() => {
  const chart = document.getElementById("chart"), box = chart.getBoundingClientRect();
  const inside = r =>
    r.left >= box.left - 1 && r.right <= box.right + 1 && r.top >= box.top - 1 && r.bottom <= box.bottom + 1;
  return [...chart.querySelectorAll(".xtick text, .ytick text, .xtitle, .ytitle, .legendtext")]
    .filter(text => !inside(text.getBoundingClientRect())).map(text => text.textContent);
}"""
"""The ticks and titles of axes that lie outside the chart's box, and so are not seen."""

TICKS = "axis => [...document.querySelectorAll(`#chart .${axis}tick text`)].map(text => text.textContent)"


def wait_for_whole_axes(page: Page) -> None:
    """Return when every tick and title of both axes is inside the chart's box."""
    page.wait_for_function(f"() => document.querySelector('#chart .xtitle') && !({CUT_OFF_TEXTS})().length")


def ticks(page: Page, axis: str) -> list[str]:
    """What stands at the ticks of axis ``x`` or ``y``."""
    labels: list[str] = page.evaluate(TICKS, axis)
    return labels
