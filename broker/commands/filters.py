"""``gueststar filters``: subscribers' own filters."""

from __future__ import annotations

import json

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings


@click.group()
def filters() -> None:
    """A subscriber's own filters.

    A filter is a condition in SQL on the columns of a classification, on p['class'] (the probability of a class or
    of a group of classes at the survey's rates), and on magnitude, galactic_latitude_deg and separation_deg(ra, dec).
    Every alert that passes goes to the topic <prefix>.filter.NAME. A missing value passes no comparison.
    """


@filters.command()
@click.argument("name")
@click.argument("expression")
@json_option
@with_settings("home")
def add(name: str, expression: str, as_json: bool, settings: Settings) -> None:
    """Keep a filter, or change the one of this NAME.

    For example: gueststar filters add young-ia "p['Ia'] > 0.8 AND n_points < 8 AND magnitude < 21"
    """
    from broker import filters as kept
    from broker.kafka import topics

    is_new = kept.add(settings, name, expression)
    topic = topics.of_filter(settings, name)
    if as_json:
        click.echo(json.dumps({"name": name, "expression": expression, "topic": topic, "new": is_new}))
    else:
        click.echo(f"{'kept' if is_new else 'changed'} {name}; its alerts go to {topic} once the job starts again")


@filters.command("list")
@json_option
@with_settings("home")
def list_filters(as_json: bool, settings: Settings) -> None:
    """The filters and their topics."""
    from broker import filters as kept
    from broker.kafka import topics

    found = kept.load(settings)
    if as_json:
        rows = [{"name": n, "expression": e, "topic": topics.of_filter(settings, n)} for n, e in found.items()]
        click.echo(json.dumps({"filters": rows}))
        return
    for name, expression in found.items():
        click.echo(f"{topics.of_filter(settings, name)}\t{expression}")
    if not found:
        click.echo("no filters; add one with `gueststar filters add NAME EXPRESSION`", err=True)


@filters.command()
@click.argument("name")
@click.option("--expression", default="", help="Try this condition instead of the one kept under NAME.")
@json_option
@with_settings("home")
def check(name: str, expression: str, as_json: bool, settings: Settings) -> None:
    """How many of the archived alerts pass a filter, judged by Spark as in the job."""
    from broker import filters as kept
    from broker.filters.expression import render

    condition = expression or kept.get(settings, name)
    render(condition)  # before Spark takes its seconds to start
    from broker.filters.archive_yield import yield_of
    from broker.stream.session import session

    spark = session(settings)
    try:
        found = yield_of(spark, settings, condition)
    finally:
        spark.stop()
    if as_json:
        click.echo(json.dumps({"name": name, "expression": condition, "matched": found.matched, "of": found.of}))
    else:
        click.echo(f"{name}: {found.matched:,} of {found.of:,} archived alerts ({found.matched / found.of:.3%})")


@filters.command()
@click.argument("name")
@json_option
@with_settings("home")
def remove(name: str, as_json: bool, settings: Settings) -> None:
    """Forget a filter; its topic stays."""
    from broker import filters as kept

    kept.remove(settings, name)
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else f"removed {name}; its topic stays")
