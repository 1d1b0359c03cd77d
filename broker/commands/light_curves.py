"""Labelled light curves by the name of a set or by a path, and alert files, as the commands take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from broker.settings import Settings
from broker.text_output import printable

if TYPE_CHECKING:
    from models.datasets.labelled import Labelled
    from schemas.other_files import NoAlertsError


def tell_passed_over(error: NoAlertsError) -> None:
    """Tell on standard error that a file in a folder or an archive is not used, and why."""
    click.echo(f"gueststar: passed over: {printable(error)}", err=True)


def load(source: str, settings: Settings, kind: str | None = None) -> Labelled:
    """The light curves that ``source`` names (see :func:`models.datasets.sources.load`), also if they were fetched.

    Notes of the reader, for example on points that are left out, go to standard error.
    """
    from models.datasets import sources
    from models.datasets.fetching import located

    if not source:
        raise click.ClickException("a set of light curves needs a name or a path, found an empty one")
    labelled = sources.load(located(settings.home, source), kind)
    for note in labelled.notes:
        click.echo(f"gueststar: {printable(note)}", err=True)
    return labelled
