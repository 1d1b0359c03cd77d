"""``gueststar show``: alert files in readable form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.commands.light_curves import tell_passed_over
from broker.commands.options import FilePath, json_option, with_settings
from broker.settings import Settings
from broker.text_output import printable

if TYPE_CHECKING:
    from broker.report.show import Shown


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=FilePath(exists=True))
@click.option(
    "--plot",
    "plot_file",
    type=FilePath(dir_okay=False),
    help="Plot the light curves in this .png, .pdf or .svg file, with the Gaussian process and its features.",
)
@click.option("--last", is_flag=True, help="Only the last alert of each object.")
@json_option
@with_settings("packet_size_limit_bytes")
def show(files: tuple[Path, ...], plot_file: Path | None, last: bool, as_json: bool, settings: Settings) -> None:
    """Show alert files in readable form.

    FILE is a wire message, an Avro container, a Parquet table of either, dead letters written with
    `gueststar listen deadletters --json`, or a folder of such files. Files may be packed (gzip, bzip2, xz, zip, tar).

    Messages that cannot be read are shown in red, with the reason. The table shows the last points of each light
    curve, --json all points. With --plot there are no tables. The exit code is 1 if a FILE holds no alert.
    """
    from broker.report import show as reading

    shown = reading.read_alerts(files, settings.packet_size_limit_bytes)
    shown = shown.last_of_each_object() if last else shown
    for error in shown.passed_over:
        tell_passed_over(error)
    if plot_file is not None and len(shown.light_curves):
        _plot(shown, plot_file)
    if as_json:
        click.echo(printable(json.dumps(reading.as_json(shown), ensure_ascii=False, allow_nan=False)))
    else:
        from rich.console import Console

        reading.print_alerts(shown, Console(), tables=plot_file is None)
        if plot_file is not None and len(shown.light_curves):
            click.echo(f"{_plotted(shown)} in {printable(plot_file)}")
    if shown.without_alert:
        raise click.ClickException(f"no alert in {', '.join(map(str, shown.without_alert))}")


def _plot(shown: Shown, file: Path) -> None:
    from broker.report.light_curve_plot import MAX_PANELS, figure_of
    from broker.report.process_plot import predictions_of

    rows = range(min(len(shown.light_curves), MAX_PANELS))
    names = [shown.name_of(row) for row in rows]
    figure_of(shown.light_curves, predictions_of(shown.light_curves.select(rows)), names).savefig(file, dpi=150)


def _plotted(shown: Shown) -> str:
    from broker.report.light_curve_plot import MAX_PANELS

    n = len(shown.light_curves)
    if n <= MAX_PANELS:
        return f"{n} plotted"
    return f"the first {MAX_PANELS} of {n:,} plotted (--last takes the last alert of each object)"
