"""``gueststar demo``: the whole broker at work on this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings


@click.command()
@click.option("--objects", default=320, show_default=True, type=click.IntRange(min=30), help="Objects to stream.")
@click.option("--exit", "end", is_flag=True, help="End after the summary instead of serving the labelling page.")
@click.option(
    "--real",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with folders of real wire messages (named …-wire) to send too [variable GUESTSTAR_TEST_DATA].",
)
@json_option
@with_settings("home", "telescope_budget_hours", "random_fraction")
def demo(settings: Settings, objects: int, end: bool, real: Path | None, as_json: bool) -> None:
    """Show the whole broker at work on this machine.

    Starts Kafka and Redis, trains a model with two classes left out, streams held-out objects through Spark, requests
    spectra, retrains with their classes, and prints a summary. Then it serves the labelling page until Ctrl-C; with
    --exit it ends. The data of an earlier demo in this home are removed first; other streams are not touched.
    """
    from broker.commands.label import serve_page
    from broker.demo import story
    from broker.demo.next_steps import next_steps

    def then(result: dict[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(result))
        click.echo(next_steps(settings.home), err=True)
        if not end:
            serve_page(settings, settings.label_port)

    try:
        story.tell(settings, objects, real or _beside_the_project(), then)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None


def _beside_the_project() -> Path | None:
    """A folder of real alerts: the variable's, or shared/data beside the checkout; None where there is none."""
    named = os.environ.get("GUESTSTAR_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if folder.is_dir() else None
