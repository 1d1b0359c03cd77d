"""``gueststar listen``: subscribe to a topic of classified alerts."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable
from schemas.counts import counted


@click.command()
@click.argument("topic")
@click.option(
    "--start-at",
    default="latest",
    show_default=True,
    metavar="PLACE",
    help="latest, earliest, a time such as 2026-03-01T02:00 (UTC), or -N for the last N messages first.",
)
@click.option("--limit", type=click.IntRange(min=1), help="End after this many alerts.")
@click.option("--no-wait", is_flag=True, help="End when all existing messages are read.")
@click.option("--group", help="Consumer group: Kafka stores under this name how far you have read.")
@json_option
@with_settings("home", "topic_prefix")
def listen(
    topic: str, start_at: str, limit: int | None, no_wait: bool, group: str | None, as_json: bool, settings: Settings
) -> None:
    """Subscribe to a topic of classified alerts, and print one line per alert until Ctrl-C.

    TOPIC is a full name or a short one: classifications, strange, novel, sample, class.ia, filter.NAME. Duplicates are
    skipped. With --json each line is one JSON object, with ids as strings.
    """
    from broker import client

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with client.listen(topic, start_at, limit, group, settings, wait=not no_wait) as alerts:
        try:
            is_empty = True
            for record in alerts:
                is_empty = False
                click.echo(printable(_json(record) if as_json else _line(record)))
            if is_empty:
                click.echo(f"{alerts.topic}: 0 alerts{_hint(start_at)}", err=True)
        except KeyboardInterrupt:
            click.echo(f"{alerts.topic}: {counted(alerts.lag(), 'message')} not read", err=True)
        except BrokenPipeError:  # the reader of our output has gone, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hint(start_at: str) -> str:
    """What to try where nothing was given."""
    return " after the start; --start-at earliest reads all there are" if start_at in ("latest", "now") else ""


def _json(record: dict[str, Any]) -> str:
    from schemas.messages import to_json

    return to_json(record)


def _line(record: dict[str, Any]) -> str:
    """One line of text for an alert or a dead letter; requests and labels as JSON."""
    if "payload" in record:
        place = f"{record['input_topic']}:{record['input_partition']}:{record['input_offset']}"
        return f"{place:40}  {record['stage']}: {record['reason']}"
    if "q_value" in record:
        return _novel_line(record)
    if "novelty_score" not in record:
        return _json(record)
    parts = [f"{record['object_name']:>20}", f"MJD {record['alert_mjd']:.4f}", f"{record['band']} {_magnitude(record)}"]
    parts += [f"{_class(record):24}", f"p-value {record['novelty_p_value']:.2g} ({record['novelty_calibration']})"]
    parts += ["strange" if record["is_strange"] else ""]
    return "  ".join(parts).rstrip()


def _novel_line(record: dict[str, Any]) -> str:
    """One line of text for an object of a night's selection."""
    from schemas.night import date_of

    is_controlled = record["control"] != "uncontrolled"
    rate = f"q {record['q_value']:.3f}" if is_controlled else "not controlled"
    drivers = ", ".join(record["driver_features"][:3])
    parts = [f"{record['object_name']:>20}", date_of(record["night"]), f"{rate:14}", f"group {record['group']:<3}"]
    return "  ".join([*parts, f"{_class(record | {'not_classified_reason': ''}):24}", drivers]).rstrip()


def _class(record: dict[str, Any]) -> str:
    from schemas.taxonomy import name_or_id

    name = name_or_id(record["class_id"])
    if record["class_id"] in record["class_ids"]:
        return f"{name} {record['p_survey'][record['class_ids'].index(record['class_id'])]:.3f}"
    return f"{name} ({record['not_classified_reason']})" if record["not_classified_reason"] else name


def _magnitude(record: dict[str, Any]) -> str:
    """AB magnitude if the flux is significant, otherwise the flux in nJy."""
    import math

    from schemas.photometry import MAGNITUDE_SIGNAL_TO_NOISE, NJY_ZERO_POINT

    flux_njy, error_njy = record["flux_njy"], record["flux_err_njy"]
    if flux_njy > MAGNITUDE_SIGNAL_TO_NOISE * error_njy > 0:
        return f"{NJY_ZERO_POINT - 2.5 * math.log10(flux_njy):6.2f} mag"
    return f"{flux_njy:.0f}±{error_njy:.0f} nJy"
