"""``gueststar retrain``: train a new model with the labels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings

if TYPE_CHECKING:
    from active_learning.retrain import Retrained


@click.command()
@json_option
@with_settings("home", "registry_uri")
def retrain(as_json: bool, settings: Settings) -> None:
    """Train a new model with the labels.

    The new bundle is trained on the base data and all labelled objects. If it is not worse on held-out objects, it
    goes into production; otherwise it is registered as candidate. `gueststar models rollback` restores the old model.
    """
    from active_learning.retrain import retrain as learn
    from broker.kafka.message_log import labels_log

    registry = settings.registry()
    with progress_bars() as progress:
        retrained = learn(
            labels_log(settings),
            registry=registry,
            archive=settings.home / "archive",
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(_report(retrained)))
    else:
        _show(retrained)


def _report(retrained: Retrained) -> dict[str, Any]:
    from schemas.taxonomy import name_of

    return {
        "accepted": retrained.verdict.accepted,
        "why": retrained.verdict.why,
        "version": retrained.model.version,
        "sha256": retrained.model.sha256,
        "aliases": list(retrained.model.aliases),
        "labels": retrained.n_labels,
        "objects_by_class": {name_of(class_id): n for class_id, n in retrained.by_class.items()},
        "newly_known": [name_of(class_id) for class_id in retrained.newly_known],
        "waiting": {name_of(class_id): n for class_id, n in retrained.waiting.items()},
        "held_out_objects": retrained.verdict.n_objects,
        "figures": retrained.verdict.to_json(),
        "notes": retrained.notes,
    }


def _show(retrained: Retrained) -> None:
    from models.training.train import MIN_OBJECTS
    from schemas.taxonomy import name_of

    objects = ", ".join(f"{name_of(class_id)} {n}" for class_id, n in retrained.by_class.items())
    click.echo(f"trained with {retrained.n_labels} labels: {objects}")
    for class_id in retrained.newly_known:
        click.echo(f"{name_of(class_id)} is now a known class")
    for class_id, n in retrained.waiting.items():
        click.echo(f"{name_of(class_id)} has {n} labelled objects; a class needs {MIN_OBJECTS} to be trained")
    for name, figure in retrained.verdict.figures.items():
        click.echo(
            f"{name:<20} {figure.old:.4f} → {figure.new:.4f}   "
            f"difference {figure.difference:+.4f}, 95 % from {figure.low:+.4f} to {figure.high:+.4f}"
        )
    for note in retrained.notes:
        click.echo(note)
    version, verdict = retrained.model.version, retrained.verdict
    if verdict.accepted:
        click.echo(f"accepted: version {version} is in production ({verdict.why})")
    else:
        click.echo(f"not accepted: version {version} is registered as candidate: {verdict.why}")
