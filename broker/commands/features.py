"""``gueststar features``: light curves to a feature matrix."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from broker.commands.options import json_option

if TYPE_CHECKING:
    import pyarrow as pa

    from features import FeatureMatrix
    from schemas.light_curves import LightCurves

ALERTS_AT_A_TIME = 1_000
PLASTICC = "plasticc"


@click.command()
@click.argument("src", nargs=-1, required=True, metavar="SRC…")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Parquet file to write: alert_id, object_id, and a column per feature; a missing feature is NaN.",
)
@json_option
def features(src: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Measure the features of light curves.

    SRC is one alert file or more (wire messages, Avro containers, Parquet), or the word plasticc for the PLAsTiCC
    training set, whole light curves, one row per object.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from rich.console import Console
    from rich.progress import Progress

    from features.catalogue import NAMES, fingerprint

    began = time.perf_counter()
    tables: list[pa.Table] = []
    refused = 0
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("features", total=None)
        for done, total, curves, dead in _batches(src):
            tables.append(_table(curves))
            refused += dead
            bar.update(task, completed=done, total=total)
    if not tables:
        raise click.ClickException(f"no alerts in {', '.join(src)}: give at least one file that holds an alert")
    table = pa.concat_tables(tables).replace_schema_metadata({"feature_fingerprint": fingerprint()})
    pq.write_table(table, out)
    report: dict[str, Any] = {
        "objects": len(pc.unique(table["object_id"])),
        "alerts": table.num_rows,
        "features": len(NAMES),
        "dead_letters": refused,
        "seconds": round(time.perf_counter() - began, 3),
        "out": str(out),
    }
    if as_json:
        click.echo(json.dumps(report))
        return
    lost = f", {refused:,} messages refused" if refused else ""
    click.echo(f"{len(NAMES)} features of {table.num_rows:,} alerts in {report['seconds']:.1f} s to {out}{lost}")


def _batches(src: tuple[str, ...]) -> Iterator[tuple[int, int, LightCurves, int]]:
    """Messages or objects done and in all, the batch's light curves, and how many dead letters it left."""
    import numpy as np

    if src == (PLASTICC,):
        from models.datasets import plasticc

        whole = plasticc.load().light_curves
        for begin in range(0, len(whole), ALERTS_AT_A_TIME):
            rows = np.arange(begin, min(begin + ALERTS_AT_A_TIME, len(whole)))
            yield begin + len(rows), len(whole), whole.select(rows), 0
        return
    from schemas import packets

    messages, _ = packets.read_files(src)
    for begin in range(0, len(messages), ALERTS_AT_A_TIME):
        batch = messages[begin : begin + ALERTS_AT_A_TIME]
        curves, dead = packets.read(batch)
        yield begin + len(batch), len(messages), curves, len(dead)


def _table(curves: LightCurves) -> pa.Table:
    import pyarrow as pa

    from features import extract

    matrix: FeatureMatrix = extract(curves)
    columns = {name: matrix.values[:, k] for k, name in enumerate(matrix.names)}
    return pa.table({"alert_id": curves.alert_id, "object_id": curves.object_id, **columns})
