"""``gueststar demo``: the whole broker at work on this machine."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from broker.commands.options import FilePath, json_option, with_settings
from broker.settings import Settings


@click.command()
@click.option("--objects", default=320, show_default=True, type=click.IntRange(min=30), help="Objects to stream.")
@click.option("--exit", "end", is_flag=True, help="End after the summary instead of serving the labelling page.")
@click.option(
    "--real",
    type=FilePath(file_okay=False),
    help="Folder with folders of real wire messages (named …-wire) to send too [variable GUESTSTAR_TEST_DATA].",
)
@click.option("--yes", is_flag=True, help="Do not ask before labels that people gave in this home are removed.")
@json_option
@with_settings("home", "telescope_budget_hours", "random_fraction")
def demo(settings: Settings, objects: int, end: bool, real: Path | None, yes: bool, as_json: bool) -> None:
    """Show the whole broker at work on this machine.

    Starts Kafka and Redis, trains a model with two classes left out, streams held-out objects through Spark, requests
    spectra, retrains with their classes, and prints a summary. Then it serves the labelling page until Ctrl-C; with
    --exit it ends. The data of an earlier demo in this home are removed first, unless a job or a page runs there; it
    asks before labels that people gave are removed. Other streams are not touched.
    """
    from broker.commands.label import serve_page
    from broker.demo import home, story
    from broker.demo.next_steps import next_steps
    from broker.local.at_work import at_work

    def then(result: dict[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(result))
        click.echo(next_steps(settings.home), err=True)
        if not end:
            serve_page(settings, settings.label_port)

    try:
        with at_work(settings.home, "demo"), _ended_in_order(settings):
            home.check_may_be_emptied(settings)
            if not yes:
                _ask_about_labels(settings)
            story.tell(settings, objects, real or _beside_the_project(), then)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None


def _ask_about_labels(settings: Settings) -> None:
    """Ask before labels that people gave are removed; with nobody to ask, refuse."""
    from broker.demo.home import OTHER_FOLDER, labels_of_people

    given = labels_of_people(settings)
    if not given:
        return
    count, names = given.total(), ", ".join(sorted(given))
    labels = f"{count:,} label{'' if count == 1 else 's'} given by {names} in {settings.home}"
    if not sys.stdin.isatty():
        raise click.ClickException(f"the demo would remove {labels}: add --yes to remove them, or {OTHER_FOLDER}")
    click.confirm(f"Remove {labels}? (`gueststar labels list --json` writes them down)", abort=True, err=True)


@contextmanager
def _ended_in_order(settings: Settings) -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with its job and the training's processes. Either says what stays."""
    from broker.demo.next_steps import program
    from broker.local.services import running

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        if any(running(settings, name) for name in ("kafka", "redis")):
            click.echo(f"Kafka and Redis still run in {settings.home}: `{program()} down` stops them", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _beside_the_project() -> Path | None:
    """A folder of real alerts: the variable's, or shared/data beside the checkout; None where there is none."""
    named = os.environ.get("GUESTSTAR_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if folder.is_dir() else None
