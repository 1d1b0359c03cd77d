"""``gueststar run``: the streaming job."""

from __future__ import annotations

import json

import click

from broker.commands.options import json_option, with_settings
from broker.commands.progress_bars import progress_bars
from broker.settings import Settings


@click.command()
@click.option(
    "--available-now", is_flag=True, help="Stop at the current end of the input topics instead of running on."
)
@click.option("--master", help="Spark master: local[*], local[4], spark://host:7077, k8s://… [setting spark_master]")
@json_option
@with_settings(
    "input_topics",
    "topic_prefix",
    "max_alerts_per_batch",
    "trigger_interval_s",
    "packet_size_limit_bytes",
    "lost_offsets",
    "novelty_fdr",
    "strange_per_batch",
    "recent_scores_interval_s",
    "sample_fraction",
    "spark_driver_memory_gib",
)
def run(settings: Settings, available_now: bool, master: str | None, as_json: bool) -> None:
    """Run the streaming job: Kafka to Spark to Kafka.

    It reads the input topics from where it last stopped. Ctrl-C or SIGTERM stop it after the current batch. A line for
    each batch goes to standard error and to run/progress.jsonl in the home.
    """
    from broker.stream import job, warm_up  # here: Spark takes a second to import

    if master:
        settings = settings.model_copy(update={"spark_master": master})
    if settings.spark_master.startswith("local"):  # elsewhere the executors compile
        with progress_bars() as progress:
            warm_up.compiled_in_parallel(progress)
    try:
        summary = job.run(settings, available_now=available_now)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(summary))
    else:
        click.echo(
            f"{summary['alerts_in']:,} messages in {summary['batches']} batches: {summary['alerts_out']:,} alerts out, "
            f"{summary['dead_letters']:,} dead letters, {summary['rate']:,.0f} alerts/s"
        )
