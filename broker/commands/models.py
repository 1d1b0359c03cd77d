"""``gueststar models``: the registry's versions and aliases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from broker.commands.options import CommandGroup, FilePath, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable

if TYPE_CHECKING:
    from models.registry.versions import Model, Registry


@click.group(cls=CommandGroup)
def models() -> None:
    """List, show, compare, promote and roll back the models of the registry."""


@models.command("list")
@json_option
@with_settings("home", "registry_uri")
def list_models(as_json: bool, settings: Settings) -> None:
    """List every version with its aliases."""
    versions = _registry(settings).models()
    if as_json:
        click.echo(json.dumps({"models": [_summary(model) for model in versions]}))
        return
    if not versions:
        click.echo("no model yet: train one with `gueststar train --data plasticc`")
    for model in versions:
        loss = model.metrics.get("log_loss_flat")
        log_loss = f"flat log-loss {loss:.3f}" if loss is not None else ""
        click.echo(
            f"{model.version:>4}  {', '.join(model.aliases) or '-':<22} {model.sha256[:16]}  {_date(model)}  {log_loss}"
        )


@models.command()
@click.argument("which", default="production")
@json_option
@with_settings("home", "registry_uri")
def show(which: str, as_json: bool, settings: Settings) -> None:
    """Show one model, by alias or version: its metrics and its training data."""
    from models.bundle import open_bundle
    from schemas.taxonomy import name_of

    model = _registry(settings).model(which)
    manifest, _ = open_bundle(model.path, model.sha256)
    if as_json:
        click.echo(json.dumps(_summary(model) | {"metrics": model.metrics, "manifest": manifest}))
        return
    click.echo(f"version {model.version}  {', '.join(model.aliases)}\nsha256  {model.sha256}")
    click.echo(f"path    {printable(model.path)}")
    click.echo(f"made    {_date(model)} from {manifest['training']['n_objects']:,} objects")
    click.echo("classes " + ", ".join(name_of(class_id) for class_id in manifest["classes"]))
    unknown = [*manifest["left_out"], *manifest["too_few"]]
    click.echo("unknown " + (", ".join(name_of(class_id) for class_id in unknown) or "none"))
    for name, value in sorted(model.metrics.items()):
        click.echo(f"  {name:<42} {value:8.4f}")


@models.command()
@click.argument("which", default="production")
@click.option(
    "--out",
    type=FilePath(dir_okay=False),
    metavar="FILE",
    help="Write the card to this file instead.",
)
@with_settings("home", "registry_uri")
def card(which: str, out: Path | None, settings: Settings) -> None:
    """Print the card of a model as Markdown: data, use, figures, limits.

    WHICH is a version, an alias, the word shipped, or the folder of a bundle.
    """
    from models.registry.card import card as card_of
    from models.registry.named_model import named

    scorer = named(which, settings.registry())
    text = card_of(scorer.manifest, scorer.sha256)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"card of {scorer.sha256[:16]} in {printable(out)}")


@models.command()
@click.argument("old", default="production")
@click.argument("new", default="candidate")
@json_option
@with_settings("home", "registry_uri")
def compare(old: str, new: str, as_json: bool, settings: Settings) -> None:
    """Compare two models on objects in neither training set, with paired intervals.

    OLD and NEW are versions, aliases, the word shipped, or folders of bundles.
    """
    from active_learning import gate
    from broker.commands.progress_bars import progress_bars
    from models.registry.named_model import named
    from models.training.base_table import held_out_by_both

    scorers = named(old, settings.registry()), named(new, settings.registry())
    with progress_bars() as progress:
        rows = held_out_by_both(scorers[0].manifest, scorers[1].manifest, settings.home / "models", progress)
    verdict = gate.compare(*scorers, rows, seed=1)
    if as_json:
        both = {name: one.sha256 for name, one in zip(("old", "new"), scorers, strict=True)}
        judgement = {"accepted": verdict.accepted, "why": verdict.why, "held_out_objects": verdict.n_objects}
        click.echo(json.dumps(both | judgement | {"figures": verdict.to_json()}))
        return
    click.echo(f"on {verdict.n_objects:,} objects that are in neither training set:")
    click.echo(f"{'':<20} {scorers[0].sha256[:16]:>18} {scorers[1].sha256[:16]:>18}  difference, 95 % interval")
    for name, one in verdict.figures.items():
        spread = f"{one.difference:+.4f}  [{one.low:+.4f}, {one.high:+.4f}]"
        click.echo(f"{name:<20} {one.old:>18.4f} {one.new:>18.4f}  {spread}")
    click.echo(f"the new model {'would be' if verdict.accepted else 'would not be'} accepted: {verdict.why}")


@models.command()
@click.argument("version")
@json_option
@with_settings("home", "registry_uri")
def promote(version: str, as_json: bool, settings: Settings) -> None:
    """Put a version (or the word candidate) into production; the one before gets the alias previous."""
    _report(_registry(settings).promote(version), as_json)


@models.command()
@json_option
@with_settings("home", "registry_uri")
def rollback(as_json: bool, settings: Settings) -> None:
    """Put the previous model back into production."""
    _report(_registry(settings).rollback(), as_json)


def _date(model: Model) -> str:
    """When the model was registered."""
    return datetime.fromtimestamp(model.created_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _registry(settings: Settings) -> Registry:

    return settings.registry()


def _summary(model: Model) -> dict[str, Any]:
    alias = model.aliases[0] if model.aliases else ""
    return {"alias": alias, "version": model.version, "sha256": model.sha256, "aliases": list(model.aliases)}


def _report(model: Model, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_summary(model)))
    else:
        click.echo(f"version {model.version} is in production; the streaming job uses it from its next batch on")
