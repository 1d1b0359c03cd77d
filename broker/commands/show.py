"""``gueststar show``: alert files as a person reads them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from broker.commands.options import json_option, with_settings
from broker.settings import Settings


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the light curves here, with the Gaussian process and its features.",
)
@json_option
@with_settings("packet_size_limit_bytes")
def show(files: tuple[Path, ...], plot_file: Path | None, as_json: bool, settings: Settings) -> None:
    """Read alert files: wire messages, Avro containers, Parquet tables of either, dead letters written with
    `gueststar listen deadletters --json`, packed or not (gzip, bzip2, xz, zip, tar), and folders of them.

    What cannot be read is shown in red with the reason. The table has the last points of each light curve, --json all.
    Ends with 1 where a FILE gave no alert.
    """
    from broker.report import show as reading

    shown = reading.read_alerts(files, settings.packet_size_limit_bytes)
    if plot_file is not None and len(shown.light_curves):
        from broker.report.light_curve_plot import MAX_PANELS, figure_of
        from broker.report.process_plot import predictions_of

        drawn = predictions_of(shown.light_curves.select(range(min(len(shown.light_curves), MAX_PANELS))))
        figure_of(shown.light_curves, drawn).savefig(plot_file, dpi=150)
    if as_json:
        click.echo(json.dumps(reading.as_json(shown), ensure_ascii=False, allow_nan=False))
    else:
        from rich.console import Console

        reading.print_alerts(shown, Console())
        if plot_file is not None and len(shown.light_curves):
            click.echo(f"light curves drawn in {plot_file}")
    if shown.without_alert:
        raise click.ClickException(f"no alert in {', '.join(map(str, shown.without_alert))}")
