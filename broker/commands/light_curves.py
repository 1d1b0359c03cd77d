"""Labelled light curves as commands take them: a set's name or a path, with the reader's notes told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from broker.settings import Settings

if TYPE_CHECKING:
    from models.datasets.labelled import Labelled


def load(source: str, settings: Settings, kind: str | None = None) -> Labelled:
    """What ``source`` names (see :func:`models.datasets.sources.load`), where it was fetched to if it was; notes of its
    reader, such as points that are left out, go to standard error."""
    from models.datasets import sources
    from models.datasets.fetching import located

    labelled = sources.load(located(settings.home, source), kind)
    for note in labelled.notes:
        click.echo(f"gueststar: {note}", err=True)
    return labelled
