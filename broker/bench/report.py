"""A benchmark's result for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from broker.bench import machine
from broker.bench.contest import Timing


@dataclass(frozen=True)
class Target:
    """What is aimed at: ``figure`` ≥ ``at_least`` or ≤ ``at_most``, whichever is given."""

    figure: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        above = self.at_least is None or value >= self.at_least
        return bool(above and (self.at_most is None or value <= self.at_most))  # numpy's own would not go into JSON

    def __str__(self) -> str:
        return f"≥ {self.at_least:,g}" if self.at_least is not None else f"≤ {self.at_most:,g}"


@dataclass(frozen=True)
class Report:
    """``figures`` are what the benchmark is about; ``timings`` are raw, CPU time an alert by contestant; ``facts``
    say what was measured with."""

    bench: str
    peer: str
    figures: dict[str, float]
    targets: tuple[Target, ...] = ()
    timings: dict[str, Timing] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    ran_on: dict[str, Any] = field(default_factory=machine.machine)
    versions: dict[str, str] = field(default_factory=machine.versions)

    def to_json(self) -> dict[str, Any]:
        """The figures at the top, everything else by name."""
        return {
            "bench": self.bench,
            "peer": self.peer,
            **{name: float(f"{value:.5g}") for name, value in self.figures.items()},
            "targets": [
                {"figure": one.figure, "target": str(one), "met": one.met(self.figures[one.figure])}
                for one in self.targets
            ],
            "timings": {name: timing.to_json() for name, timing in self.timings.items()},
            **self.facts,
            "machine": self.ran_on,
            "versions": self.versions,
        }

    def lines(self) -> list[str]:
        """The report as text."""
        on = self.ran_on
        lines = [
            f"{self.bench}: {on['processor']}, {on['cores']} cores, {on['memory_gib']} GiB, "
            f"load before {on['load_before']}; Python {on['python']}",
            "  " + ", ".join(f"{name} {version}" for name, version in self.versions.items()),
            *(f"  {name.replace('_', ' ')}: {_text(value)}" for name, value in self.facts.items()),
            f"  peer: {self.peer}",
        ]
        if self.timings:
            width = max(map(len, self.timings))
            lines.append(f"  {'CPU time an alert':<{width}}  median µs (lowest to highest)   alerts/s a core")
        for name, timing in self.timings.items():
            spread = f"{timing.median_us:,.1f} ({timing.low_us:,.1f} to {timing.high_us:,.1f})"
            lines.append(f"  {name:<{width}}  {spread:<30} {timing.rate:>10,.0f}")
        goal = {one.figure: one for one in self.targets}
        for name, value in self.figures.items():
            met = "met" if name in goal and goal[name].met(value) else "not met"
            verdict = f"  (target {goal[name]}: {met})" if name in goal else ""
            lines.append(f"  {name.replace('_', ' ')}: {value:,.4g}{verdict}")
        return lines


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)
