"""``gueststar warm``: compile the numerical code before the first run."""

from __future__ import annotations

import json
import os
import time

import click

from broker.commands.options import json_option
from broker.commands.progress_bars import progress_bars


@click.command()
@json_option
def warm(as_json: bool) -> None:
    """Compile the numerical code once, before the first run.

    Without this command the first job, training or plot after an installation waits a minute or two for the compiler.
    The compiled code is kept in the home's cache folder (or in NUMBA_CACHE_DIR, if set). It is compiled again when the
    program changes.
    """
    from broker.stream import warm_up

    began = time.monotonic()
    with progress_bars() as progress:
        warm_up.compiled_in_parallel(progress)
    report = {"seconds": round(time.monotonic() - began, 1), "cache": os.environ["NUMBA_CACHE_DIR"]}
    click.echo(json.dumps(report) if as_json else f"compiled in {report['seconds']:.0f} s, kept in {report['cache']}")
