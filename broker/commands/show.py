"""``gueststar show``: alert files in readable form."""

from __future__ import annotations

import json
from pathlib import Path

import click

from broker.commands.options import FilePath, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=FilePath(exists=True))
@click.option(
    "--plot",
    "plot_file",
    type=FilePath(dir_okay=False),
    help="Plot the light curves in this PNG file, with the Gaussian process and its features.",
)
@json_option
@with_settings("packet_size_limit_bytes")
def show(files: tuple[Path, ...], plot_file: Path | None, as_json: bool, settings: Settings) -> None:
    """Show alert files in readable form.

    FILE is a wire message, an Avro container, a Parquet table of either, dead letters written with
    `gueststar listen deadletters --json`, or a folder of such files. Files may be packed (gzip, bzip2, xz, zip, tar).

    Messages that cannot be read are shown in red, with the reason. The table shows the last points of each light
    curve, --json all points. The exit code is 1 if a FILE holds no alert.
    """
    from broker.report import show as reading

    shown = reading.read_alerts(files, settings.packet_size_limit_bytes)
    if plot_file is not None and len(shown.light_curves):
        from broker.report.light_curve_plot import MAX_PANELS, figure_of
        from broker.report.process_plot import predictions_of

        drawn = predictions_of(shown.light_curves.select(range(min(len(shown.light_curves), MAX_PANELS))))
        figure_of(shown.light_curves, drawn).savefig(plot_file, dpi=150)
    if as_json:
        click.echo(printable(json.dumps(reading.as_json(shown), ensure_ascii=False, allow_nan=False)))
    else:
        from rich.console import Console

        reading.print_alerts(shown, Console())
        if plot_file is not None and len(shown.light_curves):
            click.echo(f"light curves plotted in {printable(plot_file)}")
    if shown.without_alert:
        raise click.ClickException(f"no alert in {', '.join(map(str, shown.without_alert))}")
