"""``gueststar status`` as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.text_output import printable


def show(report: dict[str, Any], console: Console | None = None) -> None:
    """Print a report of `broker.operate.status.report`."""
    console = console or Console()
    console.print(_services(report))
    if why := report["kafka"].get("why"):
        console.print(Text(printable(why)))
    if report["topics"]:
        console.print(_topics(report))
    if report["job"] is None:
        console.print("The streaming job has not run in this home: `gueststar run` starts it.", highlight=False)
    else:
        console.print(_job(report["job"]))
    for line in report.get("drift", []):
        console.print(Text(f"drift: {printable(line)}"))


def _services(report: dict[str, Any]) -> Table:
    home = Text(printable(report["home"]))
    table = Table("service", "state", "address", "pid", "up since", title=home, title_justify="left")
    for name in ("kafka", "redis"):
        service = report[name]
        state = "[green]running[/]" if service["running"] else "[red]not running[/]"
        since = duration(service["uptime_s"]) if service["uptime_s"] is not None else ""
        table.add_row(name, state, Text(printable(service["address"])), str(service["pid"] or ""), since)
    return table


def _topics(report: dict[str, Any]) -> Table:
    """Topics that hold messages or are read from first, then the empty ones; empty ones of classes are counted only."""
    lag = (report["job"] or {}).get("lag", {})
    folded = [topic for topic in report["topics"] if topic["kind"] == "class" and not topic["messages"]]
    shown = [topic for topic in report["topics"] if topic not in folded]
    table = Table(title="topics", title_justify="left")
    table.add_column("topic")
    for heading in ("partitions", "messages", "not yet read"):
        table.add_column(heading, justify="right")
    for topic in sorted(shown, key=lambda topic: not topic["messages"] and topic["kind"] != "input"):
        unread = f"{lag[topic['topic']]:,}" if topic["topic"] in lag else ""
        table.add_row(Text(printable(topic["topic"])), str(topic["partitions"]), f"{topic['messages']:,}", unread)
    if folded:
        table.caption = f"{len(folded)} class topic{' is' if len(folded) == 1 else 's are'} empty"
        table.caption_justify = "left"
    return table


def _job(job: dict[str, Any]) -> Table:
    table = Table("streaming job", "", title_justify="left", show_header=False, title="streaming job")
    table.add_row("state", f"[green]running[/], process {job['pid']}" if job["running"] else "[red]not running[/]")
    table.add_row("last micro-batch", f"number {job['batch']}, ended {job['end_time']}, took {job['seconds']:.2f} s")
    table.add_row("in it", f"{job['alerts_in']:,} in, {job['alerts_out']:,} out, {job['dead_letters']:,} dead letters")
    rates = f"{job['alerts_in_per_s']:,.1f}/s in, {job['alerts_out_per_s']:,.1f}/s out"
    table.add_row("the last minute", f"{rates}, {job['dead_letters_per_s']:,.1f}/s dead letters")
    lag = f"{sum(job['lag'].values()):,} messages" if job["lag"] else "unknown: Kafka does not answer"
    table.add_row("lag", lag)
    table.add_row("model", Text(printable(job["model"])))
    return table


def duration(seconds: float) -> str:
    """Seconds in words: 42 s, 5 min, 3 h 20 min, 2 d 4 h."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"
