"""``gueststar bench``: speed, side by side with a named peer in the same run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress import stages
from broker.settings import Settings

if TYPE_CHECKING:
    from broker.bench.report import Report


@click.group()
def bench() -> None:
    """Speed, side by side with a named peer in the same run.

    CPU time an alert, on one core: the median of several rounds, in which all take turns, with the lowest and the
    highest. A target that isn't met is told as such; it is no error. Let nothing else run on the machine.
    """
    from broker.bench import machine

    machine.allocate_as_workers_do()


@bench.command()
@json_option
def decode(as_json: bool) -> None:
    """Alert packets to light curves, beside fastavro."""
    from broker.bench import decode as measured
    from broker.bench.report import Report, Target

    with stages() as progress:
        timings, facts = measured.contest(progress)
    ours, full, projected = (timings[name].median_us for name in (measured.OURS, measured.FULL, measured.PROJECTED))
    figures = {"ratio": full / ours, "ratio_with_reader_schema": projected / ours}
    _tell(Report("decode", facts.pop("peer"), figures, (Target("ratio", 80.0),), timings, facts), as_json)


@bench.command()
@json_option
def gp(as_json: bool) -> None:
    """A Gaussian process for each light curve, beside george."""
    from broker.bench import gp as measured
    from broker.bench.report import Report, Target

    with stages() as progress:
        timings, quality, facts = measured.contest(progress)
    cold, warm, peer = (timings[name].median_us for name in (measured.OURS, measured.WARM, measured.PEER))
    figures = {"ratio": peer / cold, "ratio_warm_started": peer / warm, **quality}
    _tell(Report("gp", facts.pop("peer"), figures, (Target("ratio", 50.0),), timings, facts), as_json)


@bench.command()
@json_option
@with_settings("home", "registry_uri")
def pipeline(as_json: bool, settings: Settings) -> None:
    """From bytes to published rows without Spark, beside fastavro, george and scikit-learn.

    Scores with the model in production, or with one of its own, trained on PLAsTiCC the first time.
    """
    from broker.bench import model
    from broker.bench import pipeline as measured
    from broker.bench.report import Report, Target

    with stages() as progress:
        timings, facts = measured.contest(model.scorer(settings, progress), progress)
    ours, batched, one_by_one = (timings[name] for name in (measured.OURS, measured.BATCHED, measured.ONE_BY_ONE))
    figures = {
        "rate": ours.rate,
        "ratio": one_by_one.median_us / ours.median_us,
        "ratio_batched": batched.median_us / ours.median_us,
    }
    _tell(Report("pipeline", facts.pop("peer"), figures, (Target("rate", 4_000.0),), timings, facts), as_json)


@bench.command()
@json_option
@with_settings("home", "jars")
def kafka(as_json: bool, settings: Settings) -> None:
    """From Kafka through Spark to Kafka, working off a backlog, beside a row-by-row Python UDF.

    Brings a Kafka and a Redis of its own up, and works off 80,000 and 32,000 alerts of 58 kB, at 10,000 and at 4,000
    a micro-batch. Takes about five minutes, 8 GB of disk and 3 GiB of memory.
    """
    from broker.bench import kafka as measured
    from broker.bench.report import Report, Target

    with stages() as progress:
        found, peer, facts = measured.contest(settings, progress)
    large, small = (found[size] for size in measured.BATCH_SIZES)
    figures = {
        "rate": large.rate,
        "rate_small_batches": small.rate,
        "ratio": large.rate / peer,
        "rate_peer": peer,
        **{f"cpu_us_{part}": value for part, value in large.cpu_us.items()},
    }
    targets = (Target("rate", 3_500.0), Target("rate_small_batches", 2_800.0))
    facts |= {f"at_{size}_a_batch": backlog.to_json() for size, backlog in found.items()}
    _tell(Report("kafka", facts.pop("peer"), figures, targets, facts=facts), as_json)


def _tell(report: Report, as_json: bool) -> None:
    click.echo(json.dumps(report.to_json()) if as_json else "\n".join(report.lines()))
