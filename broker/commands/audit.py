"""``gueststar audit``: account for every input offset."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings

if TYPE_CHECKING:
    from broker.operate.audit import Report


@click.command()
@click.option("--from-beginning", is_flag=True, help="Audit every message that Kafka still holds; this is the default.")
@click.option("--since", metavar="TIME", help="Audit messages from this time on, such as 2026-03-01T02:00 (UTC).")
@json_option
@with_settings("home", "input_topics", "topic_prefix")
def audit(from_beginning: bool, since: str | None, as_json: bool, settings: Settings) -> None:
    """Account for every input offset.

    Each message of the input topics is in the output, in the dead letters, not yet read by the job, or lost. If any is
    lost, its offset is listed and the exit code is 1. The output and dead-letter topics must keep their messages as
    long as the input topics do.
    """
    from broker.client.listening import time_ms_of
    from broker.operate import audit as auditor

    if from_beginning and since:
        raise click.UsageError("--from-beginning and --since exclude each other")
    began = time.monotonic()
    report = auditor.audit(settings, None if since is None else time_ms_of(since, "--since must be a time"))
    seconds = time.monotonic() - began
    for topic in report.missing_topics:
        click.echo(f"gueststar: there is no topic {topic}: is its name right?", err=True)
    click.echo(_as_json(report, seconds) if as_json else _as_text(report))
    if report.lost:
        raise click.exceptions.Exit(1)


_COUNTS = {
    "alerts_in": "messages read",
    "alerts_out": "alerts classified",
    "dead_letters": "dead letters",
    "lost": "lost",
    "duplicates": "duplicates (subscribers skip them)",
    "done_again": "  of these because a batch was done again",
    "twice_in_input": "  of these because the input holds the alert twice",
    "pending": "offsets not yet read",
}


def _as_json(report: Report, seconds: float) -> str:
    counts = {name: getattr(report, name) for name in _COUNTS}
    lost = {
        "lost_offsets": [dict(zip(("topic", "partition", "offset"), at, strict=True)) for at in report.lost_offsets()],
        "lost_ranges": [one._asdict() for one in report.lost_ranges],
    }
    return json.dumps({**counts, **lost, "missing_topics": report.missing_topics, "seconds": round(seconds, 3)})


def _as_text(report: Report) -> str:
    lines = [f"{getattr(report, name):>12,}  {words}" for name, words in _COUNTS.items()]
    shown = report.lost_ranges[:20]
    lines += [f"lost: {one.topic} partition {one.partition} offsets {one.first} to {one.last}" for one in shown]
    if len(report.lost_ranges) > len(shown):
        lines.append(f"and {len(report.lost_ranges) - len(shown)} more ranges: --json lists them all")
    return "\n".join(lines)
