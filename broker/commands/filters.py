"""``gueststar filters``: subscribers' own filters."""

from __future__ import annotations

import json

import click

from broker.commands.options import CommandGroup, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable


@click.group(cls=CommandGroup)
def filters() -> None:
    """Add, list, check and remove subscribers' filters.

    A filter is an SQL condition on the columns of a classification, on p['class'] (the probability of a class or of
    a group of classes at the survey's class rates), and on magnitude, galactic_latitude_deg and
    separation_deg(ra, dec). Every alert that passes goes to the topic <prefix>.filter.NAME. A comparison with a missing
    value is never true. Ids are whole numbers, with or without quotes, and are compared exactly.
    """


@filters.command()
@click.argument("name")
@click.argument("expression")
@json_option
@with_settings("home")
def add(name: str, expression: str, as_json: bool, settings: Settings) -> None:
    """Add a filter, or change the one named NAME.

    For example: gueststar filters add young-ia "p['Ia'] > 0.8 AND n_points < 8 AND magnitude < 21"
    """
    from broker import filters as store
    from broker.kafka import topics

    is_new = store.add(settings, name, expression)
    topic = topics.of_filter(settings, name)
    if as_json:
        click.echo(json.dumps({"name": name, "expression": expression, "topic": topic, "new": is_new}))
    else:
        click.echo(f"{'kept' if is_new else 'changed'} {name}; its alerts go to {topic} once the job starts again")


@filters.command("list")
@json_option
@with_settings("home")
def list_filters(as_json: bool, settings: Settings) -> None:
    """List the filters with their topics, and the reason if one is refused.

    A filter is refused if its entry in filters.toml is damaged, or if Spark could not run it when the last job
    started. The job leaves refused filters out.
    """
    from broker import filters as store
    from broker.filters.refusals import without_refused
    from broker.kafka import topics

    kept = without_refused(settings, store.load(settings))
    rows: list[tuple[str, str, str | None]]
    rows = [(name, condition.expression, None) for name, condition in kept.conditions.items()]
    rows += [(refused.name, refused.expression, refused.reason) for refused in kept.refused]
    if as_json:
        keys = ("name", "expression", "refused", "topic")
        listed = [
            dict(zip(keys, (*row, topics.of_filter(settings, row[0]) if row[0] else None), strict=True)) for row in rows
        ]
        click.echo(json.dumps({"filters": listed}))
        return
    for name, expression, reason in rows:
        topic = topics.of_filter(settings, name) if name else store.file_of(settings).name
        fields = [topic, " ".join(expression.split())] + ([f"refused: {' '.join(reason.split())}"] if reason else [])
        click.echo("\t".join(map(printable, fields)))
    if not rows:
        click.echo("no filters; add one with `gueststar filters add NAME EXPRESSION`", err=True)


@filters.command()
@click.argument("name")
@click.option("--expression", default="", help="Try this condition instead of the stored one.")
@json_option
@with_settings("home")
def check(name: str, expression: str, as_json: bool, settings: Settings) -> None:
    """Count the archived alerts that pass a filter, evaluated by Spark as in the job."""
    from broker import filters as store

    condition = store.parse(expression) if expression else store.get(settings, name)
    from broker.filters.archive_yield import yield_of  # here: Spark takes a second to import
    from broker.filters.trial import fault_of
    from broker.stream.session import session

    spark = session(settings)
    try:
        if fault := fault_of(spark, condition):
            raise store.FilterError(f"Spark can't run the filter {name}: {fault}")
        passed = yield_of(spark, settings, condition)
    finally:
        spark.stop()
    if as_json:
        record = {"name": name, "expression": condition.expression, "matched": passed.matched, "of": passed.of}
        click.echo(json.dumps(record))
    else:
        click.echo(f"{name}: {passed.matched:,} of {passed.of:,} archived alerts ({passed.matched / passed.of:.3%})")


@filters.command()
@click.argument("name")
@json_option
@with_settings("home")
def remove(name: str, as_json: bool, settings: Settings) -> None:
    """Remove a filter; its topic stays."""
    from broker import filters as store

    store.remove(settings, name)
    click.echo(json.dumps({"name": name, "removed": True}) if as_json else f"removed {name}; its topic stays")
