"""``gueststar adapt``: adapt the model to the stream it looks at."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings
from broker.text_output import printable

if TYPE_CHECKING:
    from active_learning.adapt import Adapted


@click.command()
@click.option("--dry-run", is_flag=True, help="Measure what each step would bring and whether the stream drifts.")
@json_option
@with_settings("home", "registry_uri")
def adapt(dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Adapt the model to the stream, with labels of randomly drawn objects.

    For each survey: calibration (from 30 labels), weights (from 100), and class rates of the unlabelled objects. Each
    step is taken only if the labelled objects gain by it. The new model goes into production if it is not worse on
    them; `gueststar models rollback` restores the old one. Labels that were asked for because an object looked
    uncertain or novel do not count: they are no fair sample.

    \b
    Begin with:
      gueststar adapt --dry-run
    """
    from active_learning import adapt as adapting
    from broker.kafka.message_log import labels_log
    from broker.operate import drift_file
    from broker.records import archive

    with progress_bars() as progress:
        result = adapting.adapt(
            labels_log(settings),
            registry=settings.registry(),
            archive=archive.folder(settings),
            dry_run=dry_run,
            progress=progress,
        )
    drift_file.write(
        settings.home, {name: one.to_json() for name, one in result.drift.items()}, int(time.time() * 1000)
    )
    if as_json:
        click.echo(json.dumps(adapting.to_json(result), allow_nan=False))
        return
    _show(result)


def _show(result: Adapted) -> None:
    for survey, one in result.by_survey.items():
        click.echo(f"{survey}: {one.n_labelled:,} labelled objects, {one.n_unlabelled:,} others")
        if one.before is not None:
            click.echo(f"  {'now':<12} log-loss {one.before.log_loss:.3f}  calibration error {one.before.ece:.3f}")
        for step in one.steps:
            click.echo(f"  {step.name:<12} {'taken' if step.taken else 'left'}: {printable(step.why)}")
            if step.taken and step.figures is not None:
                click.echo(
                    f"  {'':<12} calibration error {step.figures.ece:.3f}, macro-F1 {step.figures.macro_f1:.3f}, "
                    f"area of type Ia {step.figures.auc_ia:.3f}"
                )
        for line in result.drift[survey].warnings():
            click.echo(f"  drift        {printable(line)}")
    for note in result.notes:
        click.echo(printable(note))
    if result.model is not None and result.verdict is not None:
        if result.verdict.accepted:
            click.echo(f"accepted: version {result.model.version} is in production ({result.verdict.why})")
        else:
            click.echo(f"not accepted: version {result.model.version} is registered as candidate: {result.verdict.why}")
