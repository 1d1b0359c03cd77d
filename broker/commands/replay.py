"""``gueststar replay``: alert files to Kafka."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from broker.commands.light_curves import tell_passed_over
from broker.commands.options import FilePath, json_option, with_settings
from broker.settings import Settings
from schemas.counts import counted


@click.command()
@click.argument("paths", nargs=-1, required=True, type=FilePath(exists=True), metavar="PATH…")
@click.option("--topic", help="Topic to send them to; default: the first input topic.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Alerts per second; default: no limit.")
@json_option
@with_settings("home")
def replay(paths: tuple[Path, ...], topic: str | None, rate: float | None, as_json: bool, settings: Settings) -> None:
    """Send alert files to Kafka in time order.

    PATH is a wire message, an Avro container, a tar archive of them, a Parquet table of whole packets or of messages
    (column `message`), or a folder of such files, for example the output of `gueststar convert`. Files of other kinds,
    such as a table of light curves, are refused; inside a folder they are skipped. The messages are keyed by object, so
    that the alerts of an object keep their order. The command ends when Kafka has confirmed every message. It creates
    the topic if it is missing.
    """
    from rich.console import Console
    from rich.progress import Progress

    from broker.operate import replay as sender

    topic = topic or settings.input_topics[0]
    messages = sender.read(paths, tell_passed_over)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(topic, total=len(messages))
        sent = sender.send(settings, topic, messages, rate, lambda done: bar.update(task, completed=done))
    if as_json:
        report = {"alerts": sent.alerts, "seconds": round(sent.seconds, 3), "bytes": sent.bytes, "topic": topic}
        click.echo(json.dumps(report))
    else:
        speed = sent.alerts / max(sent.seconds, 1e-3)
        click.echo(f"{counted(sent.alerts, 'alert')} to {topic} in {sent.seconds:.1f} s, {speed:,.0f}/s")
