"""``gueststar bench``: speed, compared with a named peer in the same run."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.options import CommandGroup, FilePath, json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings

if TYPE_CHECKING:
    from broker.bench.report import Report


@click.group(cls=CommandGroup)
def bench() -> None:
    """Measure speed, compared with a named peer in the same run.

    Reports CPU time per alert on one core: the median of several rounds in which all programs take turns, with the
    lowest and the highest. A missed target is reported but is not an error. Run nothing else on the machine meanwhile.
    """
    from broker.bench import machine

    machine.allocate_as_workers_do()


@bench.command()
@json_option
def decode(as_json: bool) -> None:
    """Read light curves from alert packets, compared with fastavro."""
    from broker.bench import decode as measured
    from broker.bench.report import Report, Target

    with progress_bars() as progress:
        timings, facts = measured.contest(progress)
    ours, full, projected = (timings[name].median_us for name in (measured.OURS, measured.FULL, measured.PROJECTED))
    figures = {"ratio": full / ours, "ratio_with_reader_schema": projected / ours}
    _print(Report("decode", facts.pop("peer"), figures, (Target("ratio", 80.0),), timings, facts), as_json)


@bench.command()
@json_option
def gp(as_json: bool) -> None:
    """Fit a Gaussian process to each light curve, compared with george (cubic cost) and celerite2 (linear cost)."""
    from broker.bench import gp as measured
    from broker.bench.report import Report, Target

    _require("celerite2")
    with progress_bars() as progress:
        timings, quality, facts = measured.contest(progress)
    contestants = measured.OURS, measured.WARM, measured.PEER, measured.LINEAR_PEER
    cold, warm, peer, linear = (timings[name].median_us for name in contestants)
    figures = {
        "ratio": peer / cold,
        "ratio_warm_started": peer / warm,
        "ratio_linear": linear / cold,
        "ratio_linear_warm_started": linear / warm,
        **quality,
    }
    targets = (Target("ratio", 50.0), Target("growth_slope", at_most=1.1))
    _print(Report("gp", facts.pop("peer"), figures, targets, timings, facts), as_json)


@bench.command()
@json_option
@with_settings("home", "registry_uri")
def pipeline(as_json: bool, settings: Settings) -> None:
    """Score alerts from bytes to published rows without Spark, compared with fastavro, george and scikit-learn.

    The model is the one in production, or the shipped one if there is none.
    """
    from broker.bench import model
    from broker.bench import pipeline as measured
    from broker.bench.report import Report, Target

    with progress_bars() as progress:
        timings, facts = measured.contest(model.scorer(settings, progress), progress)
    ours, batched, one_by_one = (timings[name] for name in (measured.OURS, measured.BATCHED, measured.ONE_BY_ONE))
    figures = {
        "rate": ours.rate,
        "ratio": one_by_one.median_us / ours.median_us,
        "ratio_batched": batched.median_us / ours.median_us,
    }
    _print(Report("pipeline", facts.pop("peer"), figures, (Target("rate", 4_000.0),), timings, facts), as_json)


@bench.command()
@json_option
@with_settings("home", "jars")
def kafka(as_json: bool, settings: Settings) -> None:
    """Run the job on a backlog, from Kafka through Spark to Kafka, compared with a row-by-row Python UDF.

    Starts a separate Kafka and Redis. The job reads 90,000 alerts of 58 kB at 10,000 a micro-batch, then 36,000 at
    4,000 a micro-batch. Takes about five minutes, 8 GB of disk and 3 GiB of memory.
    """
    from broker.bench import kafka as measured
    from broker.bench.report import Report, Target

    with progress_bars() as progress:
        by_batch_size, peer, facts = measured.contest(settings, progress)
    large, small = (by_batch_size[size] for size in measured.BATCH_SIZES)
    figures = {
        "rate": large.rate,
        "rate_small_batches": small.rate,
        "ratio": large.rate / peer,
        "rate_peer": peer,
        **{f"cpu_us_{part}": value for part, value in large.cpu_us.items()},
    }
    targets = (Target("rate", 3_500.0), Target("rate_small_batches", 2_800.0))
    facts |= {f"at_{size}_a_batch": backlog.to_json() for size, backlog in by_batch_size.items()}
    _print(Report("kafka", facts.pop("peer"), figures, targets, facts=facts), as_json)


@bench.command()
@json_option
@click.option("--seconds", default=600.0, show_default=True, help="Length of the steady part, seconds.")
@with_settings("home", "jars")
def latency(as_json: bool, seconds: float, settings: Settings) -> None:
    """Measure how long an alert takes through the job, at 270 alerts/s, and in a burst of 10,000 in 5 s.

    The time runs from the Kafka timestamp of the input message to that of the output message. Starts a separate Kafka
    and Redis.
    """
    import numpy as np

    from broker.bench import latency as measured
    from broker.bench.report import Report, Target

    with progress_bars() as progress:
        steady, burst, facts = measured.measure(settings, seconds, progress)
    p50, p99 = np.percentile(steady.latency_s, [50, 99])
    figures = {"p50_s": p50, "p99_s": p99, "highest_s": steady.latency_s.max(), "burst_s": burst.tail_s}
    targets = (Target("p50_s", at_most=1.0), Target("p99_s", at_most=2.0), Target("burst_s", at_most=3.0))
    _print(Report("latency", facts.pop("peer"), figures, targets, facts=facts), as_json)


@bench.command()
@json_option
@click.option("--alerts", default=1_000_000, show_default=True, help="Number of alerts to send.")
@with_settings("home", "jars")
def soak(as_json: bool, alerts: int, settings: Settings) -> None:
    """Run the job for long, and measure whether the resident memory of its largest worker grows.

    The alerts have no images and 8 kB each, so that a million fit on a disk. Starts a separate Kafka and Redis.
    """
    import numpy as np

    from broker.bench import soak as measured
    from broker.bench.report import Report, Target

    with progress_bars() as progress:
        soaked, facts = measured.measure(settings, alerts, progress)
    figures = {
        "largest_worker_mib": float(soaked.largest_worker_bytes.max()) / 2**20,
        "growth_mib": soaked.growth_mib,
        "rate": alerts / soaked.seconds,
    }
    sizes_mib = np.round(soaked.largest_worker_bytes / 2**20).astype(int)
    facts["samples"] = np.stack([soaked.alerts, sizes_mib], axis=1).tolist()
    targets = (Target("largest_worker_mib", at_most=1_024.0), Target("growth_mib", at_most=20.0))
    _print(Report("soak", facts.pop("peer"), figures, targets, facts=facts), as_json)


@bench.command()
@json_option
@click.option("--plot", type=FilePath(dir_okay=False), help="Plot the results in this PNG file.")
@with_settings("home", "jars", "registry_uri")
def growth(as_json: bool, plot: Path | None, settings: Settings) -> None:
    """Measure how cost and rate depend on points per alert, size of a micro-batch, cores and partitions.

    Starts a separate Kafka and Redis, and runs the job once for each figure. Takes about twenty minutes.
    """
    from broker.bench import growth as measured
    from broker.bench import growth_plot
    from broker.bench.contest import growth_slope
    from broker.bench.report import Report

    with progress_bars() as progress:
        figures_by_axis = measured.measure(settings, progress)
    if plot:
        growth_plot.draw(figures_by_axis, plot)
    costs = {int(name): cost for name, cost in figures_by_axis["us_by_points"].items() if int(name) >= 100}
    figures = {"slope_in_points": growth_slope(list(costs), list(costs.values()))}
    _print(Report("growth", "none", figures, facts=dict(figures_by_axis)), as_json)


def _require(package: str) -> None:
    """Raise ClickException where a peer that only development installs is missing."""
    if find_spec(package) is None:
        raise click.ClickException(
            f"`gueststar bench {click.get_current_context().info_name}` compares with the package {package}, "
            f"which is not installed: run `make install`, or `pip install {package}`"
        )


def _print(report: Report, as_json: bool) -> None:
    click.echo(json.dumps(report.to_json()) if as_json else "\n".join(report.lines()))
