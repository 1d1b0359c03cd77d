"""``gueststar show``: alert files as tables, JSON and plots."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from click.testing import CliRunner, Result
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from rich.console import Console

from broker.commands.show import show
from broker.report import light_curve_plot
from broker.report.show import print_alerts, read_alerts
from models.datasets import stream_files
from models.datasets.labelled import Labelled
from models.datasets.truth import Truth
from schemas import packets
from schemas.light_curves import BANDS, LightCurves
from schemas.messages import to_json
from schemas.passbands import BAND_COLOURS

FAULTS = Path(__file__).parents[3] / "data" / "faults"

KEYS = {"survey", "schema_id", "alert_id", "object_id", "n_points", "time_mjd", "flux_njy", "flux_err_njy", "band"}


def light_curves(n_points: int = 12, n_alerts: int = 1) -> LightCurves:
    """Alerts of ``n_points`` each, every third of them forced photometry, in the bands g, r, i."""
    point = np.tile(np.arange(n_points), n_alerts)
    columns = {
        "time_mjd": 61000.0 + point,
        "flux_njy": 100.0 + 10.0 * point,
        "flux_err_njy": np.full(point.size, 5.0),
        "band": 1 + point % 3,
        "is_detection": point % 3 != 0,
    }
    alerts = {
        "alert_id": 2**60 + np.arange(n_alerts),
        "object_id": 2**61 + np.arange(n_alerts),
        "alert_mjd": np.full(n_alerts, 61000.0 + n_points - 1),
        "ra_deg": np.full(n_alerts, 150.0),
        "dec_deg": np.full(n_alerts, 2.0),
        "reliability": np.full(n_alerts, 0.5),
    }
    return LightCurves.from_points(alert=np.repeat(np.arange(n_alerts), n_points), columns=columns, alerts=alerts)


@pytest.fixture
def alert_file(tmp_path: Path) -> Path:
    (tmp_path / "alert.avro").write_bytes(packets.write(light_curves())[0])
    return tmp_path / "alert.avro"


@pytest.fixture
def broken_file(tmp_path: Path, alert_file: Path) -> Path:
    (tmp_path / "broken.avro").write_bytes(alert_file.read_bytes()[:-20])
    return tmp_path / "broken.avro"


def run(tmp_path: Path, *arguments: object) -> Result:
    result = invoke(tmp_path, *arguments)
    assert result.exit_code == 0, result.output
    return result


def invoke(tmp_path: Path, *arguments: object) -> Result:
    return CliRunner().invoke(show, [str(word) for word in arguments], env={"GUESTSTAR_HOME": str(tmp_path / "home")})


def test_json_is_one_object_with_every_point(tmp_path: Path, alert_file: Path, broken_file: Path) -> None:
    result = invoke(tmp_path, alert_file, broken_file, "--json")
    assert (result.exit_code, result.stderr) == (1, f"Error: no alert in {broken_file}\n")
    loaded = json.loads(result.stdout)
    good, bad = loaded["alerts"]
    assert KEYS | {"dead_letter", "file"} <= good.keys() == bad.keys()
    assert good["alert_id"] == str(2**60)
    assert good["object_id"] == str(2**61)
    assert good["schema_id"] == 1101
    assert good["n_points"] == 12
    assert good["time_mjd"] == [61000.0 + point for point in range(12)]
    assert good["flux_njy"] == [100.0 + 10.0 * point for point in range(12)]
    assert good["flux_err_njy"] == [5.0] * 12
    assert "".join(good["band"]) == "gri" * 4
    assert good["dead_letter"] is None
    assert bad["file"] == str(broken_file)
    assert "ends within" in bad["dead_letter"]
    assert all(bad[key] is None for key in KEYS)


def test_the_table_shows_the_last_points_and_the_reasons(alert_file: Path, broken_file: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_alerts(read_alerts([alert_file, broken_file]), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert str(2**60) in text
    assert "61011.00000" in text
    assert "61003.00000" not in text
    assert "the last 8 of 12 points" in text
    assert "forced photometry" in text
    assert "refused" in text
    assert "ends within" in text
    assert "1 alert, 1 refused" in text


def test_the_command_prints_the_table(tmp_path: Path, alert_file: Path) -> None:
    assert "detection" in run(tmp_path, alert_file).stdout


def test_a_file_that_cannot_be_read_leaves_the_others(tmp_path: Path, alert_file: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no table")
    result = invoke(tmp_path, tmp_path / "x.parquet", alert_file, "--json")
    assert result.exit_code == 1
    shown = json.loads(result.stdout)["alerts"]
    assert "no Parquet table" in shown[0]["dead_letter"]
    assert shown[1]["n_points"] == 12


def test_the_size_limit_is_a_setting(tmp_path: Path, alert_file: Path) -> None:
    result = invoke(tmp_path, alert_file, "--json", "--packet-size-limit-bytes", 100)
    assert result.exit_code == 1
    assert "at most 100 bytes" in json.loads(result.stdout)["alerts"][0]["dead_letter"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("p9_cut.tar.gz", "is cut off: it ends before its archive does"),
        ("p9_cut.tar.xz", "is cut off: it ends before its archive does"),
    ],
)
def test_an_archive_that_is_cut_off_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    result = invoke(tmp_path, FAULTS / name)
    assert result.exit_code == 1
    refused, counted = result.stdout.splitlines()
    assert reason in refused
    assert counted == "0 alerts, 1 refused"
    assert result.stderr == f"Error: no alert in {FAULTS / name}\n"


@pytest.mark.parametrize(("name", "n_alerts"), [("p1_alert.avro.gz", 1), ("p1_night.tar", 2)])
def test_gzipped_alerts_are_shown(tmp_path: Path, name: str, n_alerts: int) -> None:
    alerts = json.loads(run(tmp_path, FAULTS / name, "--json").stdout)["alerts"]
    assert [(one["alert_id"], one["n_points"]) for one in alerts] == [("2752190653015010019", 14)] * n_alerts


def test_a_folder_without_alerts_does_not_end_with_0(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = invoke(tmp_path, tmp_path / "empty")
    assert (result.exit_code, result.stdout) == (1, "0 alerts\n")


def test_what_convert_writes_is_shown(tmp_path: Path) -> None:
    curves = light_curves(4, n_alerts=3)
    labelled = Labelled(curves, np.array([2222, 2223, 2224]), "made", "sum", Truth.of(3))
    n_alerts = stream_files.write(labelled, tmp_path / "stream").alerts
    alerts = json.loads(run(tmp_path, tmp_path / "stream" / "alerts.parquet", "--json").stdout)["alerts"]
    assert len(alerts) == n_alerts > 3
    assert {one["object_id"] for one in alerts} == {str(2**61 + row) for row in range(3)}
    whole = run(tmp_path, tmp_path / "stream", "--json")
    assert json.loads(whole.stdout)["alerts"] == alerts
    assert re.search("^gueststar: passed over: .*truth.parquet holds no alerts: it is the truth", whole.stderr)


def test_a_table_of_light_curves_is_named_as_such(tmp_path: Path) -> None:
    for name in ("t14_bom.csv", "t11_masked.fits"):
        result = invoke(tmp_path, FAULTS / name)
        assert result.exit_code == 1
        assert "holds no alerts: it is a" in result.stdout
        assert "`gueststar features` measures light curves, and `gueststar convert` makes alerts" in result.stdout


def test_the_bytes_of_dead_letters_are_shown(tmp_path: Path, alert_file: Path) -> None:
    payloads = (alert_file.read_bytes(), b"no alert")
    letters = [{"payload": one, "payload_length": len(one), "stage": "decode"} for one in payloads]
    (tmp_path / "letters.jsonl").write_text("".join(to_json(letter) + "\n" for letter in letters))
    good, bad = json.loads(run(tmp_path, tmp_path / "letters.jsonl", "--json").stdout)["alerts"]
    assert good["n_points"] == 12
    assert "must begin with byte 00" in bad["dead_letter"]


def test_a_plot_is_drawn(tmp_path: Path, alert_file: Path) -> None:
    run(tmp_path, alert_file, "--plot", tmp_path / "plot.png")
    picture = matplotlib.image.imread(tmp_path / "plot.png")
    assert min(picture.shape[:2]) > 500
    colours = {to_hex(colour) for colour in np.unique(picture.reshape(-1, picture.shape[2])[:, :3], axis=0)}
    assert "#ffffff" in colours
    assert len(colours) > 20


def drawn(figure: Figure) -> list:
    figure.draw_without_rendering()
    return [axes for axes in figure.axes if axes.axison]


def test_axes_tell_units_and_both_times() -> None:
    (axes,) = drawn(light_curve_plot.figure_of(light_curves()))
    assert axes.get_ylabel() == "Difference flux (nJy)"
    assert axes.get_xlabel() == "Time (MJD, TAI)"
    (above,) = axes.child_axes
    assert above.get_xlabel().startswith("UTC")
    dates = [label.get_text() for label in above.get_xticklabels()]
    assert any(date.startswith("2025-11-2") for date in dates)  # MJD 61000 is 2025-11-21


def test_utc_is_37_seconds_behind_tai() -> None:
    (axes,) = drawn(light_curve_plot.figure_of(light_curves()))
    (above,) = axes.child_axes
    behind = (axes.get_xlim()[0] - 40587.0 - above.get_xlim()[0]) * 86400
    assert behind == pytest.approx(37, abs=0.01)


def test_detections_are_filled_and_forced_points_open() -> None:
    (axes,) = drawn(light_curve_plot.figure_of(light_curves()))
    markers = [container.lines[0] for container in axes.containers]
    for line in markers:
        first = int(line.get_xdata()[0] - 61000)
        filled = to_hex(line.get_markerfacecolor()) != "#ffffff"
        assert filled == (first % 3 != 0)
        assert to_hex(line.get_markeredgecolor()) == BAND_COLOURS[BANDS[1 + first % 3]].lower()
    assert len(markers) == 3


def test_a_huge_error_bar_does_not_set_the_limits() -> None:
    curves = light_curves(40)
    curves.flux_err_njy[7] = 1e7
    (axes,) = drawn(light_curve_plot.figure_of(curves))
    assert axes.get_ylim()[1] < 1000


def test_a_stray_forced_point_lies_outside_and_is_counted() -> None:
    curves = light_curves(60)
    curves.flux_njy[30] = -1e6
    (axes,) = drawn(light_curve_plot.figure_of(curves))
    assert axes.get_ylim()[0] > -10
    assert [text.get_text() for text in axes.texts] == ["1 outside"]


@pytest.mark.parametrize(("flux", "unit"), [(500.0, "nJy"), (50_000.0, "µJy"), (5e7, "mJy")])
def test_the_unit_fits_the_flux(flux: float, unit: str) -> None:
    curves = light_curves(3)
    curves.flux_njy[:] = flux
    (axes,) = drawn(light_curve_plot.figure_of(curves))
    assert axes.get_ylabel() == f"Difference flux ({unit})"


def test_several_alerts_are_a_grid_up_to_a_limit() -> None:
    assert len(drawn(light_curve_plot.figure_of(light_curves(n_alerts=5)))) == 5
    many = light_curve_plot.figure_of(light_curves(2, n_alerts=light_curve_plot.MAX_PANELS + 1))
    assert len(many.axes) == light_curve_plot.MAX_PANELS
    assert "37" in many.get_suptitle()


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no light curve"):
        light_curve_plot.figure_of(LightCurves.empty())


class Model:
    time_mjd = np.linspace(61000, 61011, 30)
    mean_njy = np.full((6, 30), 120.0)
    std_njy = np.full((6, 30), 7.0)


def test_a_model_is_drawn_for_the_bands_that_were_observed() -> None:
    (axes,) = drawn(light_curve_plot.figure_of(light_curves(), [Model()]))
    curves = [line for line in axes.lines if len(line.get_xdata()) == 30]
    assert sorted(to_hex(line.get_color()) for line in curves) == sorted(BAND_COLOURS[b].lower() for b in "gri")
    assert len(axes.collections) >= 3


def test_one_point_can_be_drawn() -> None:
    (axes,) = drawn(light_curve_plot.figure_of(light_curves(1).select([0])))
    low, high = axes.get_xlim()
    assert low < 61000 < high


@pytest.mark.parametrize("span_days", [0.001, 0.01, 0.05, 0.2, 0.7, 1.5, 3.0, 5.0, 12.0, 30.0, 100.0, 400.0, 4000.0])
def test_dates_can_be_told_at_every_span(span_days: float) -> None:
    curves = light_curves(2)
    curves.time_mjd[1] = curves.time_mjd[0] + span_days
    (axes,) = drawn(light_curve_plot.figure_of(curves))
    (above,) = axes.child_axes
    low, high = above.get_xlim()
    assert any(low <= tick <= high for tick in above.get_xticks())


def test_the_last_alert_of_each_object_with_the_name_it_was_given(tmp_path: Path) -> None:
    curves = light_curves(4, n_alerts=3)
    labelled = Labelled(curves, np.full(3, 2222), "made", "sum", Truth.of(3, name=["sn0", "", "sn2"]))
    stream_files.write(labelled, tmp_path / "stream")
    alerts = tmp_path / "stream" / "alerts.parquet"
    last = json.loads(run(tmp_path, alerts, "--last", "--json").stdout)["alerts"]
    assert [(one["object_id"], one["n_points"]) for one in last] == [(str(2**61 + row), 3) for row in range(3)]
    text = " ".join(run(tmp_path, alerts, "--last").stdout.split())
    for words in (f"of object {2**61} (sn0) RA", f"of object {2**61 + 1} RA", f"of object {2**61 + 2} (sn2) RA"):
        assert words in text
    plotted = run(tmp_path, alerts, "--last", "--plot", tmp_path / "last.png")
    assert plotted.stdout == f"3 alerts\n3 plotted in {tmp_path / 'last.png'}\n"


def test_a_plot_of_more_than_it_can_hold_says_so(tmp_path: Path) -> None:
    (tmp_path / "night").mkdir()
    for number, message in enumerate(packets.write(light_curves(2, n_alerts=light_curve_plot.MAX_PANELS + 2))):
        (tmp_path / "night" / f"{number:02}.avro").write_bytes(message)
    plotted = run(tmp_path, tmp_path / "night", "--plot", tmp_path / "all.png")
    assert "the first 36 of 38 plotted (--last takes the last alert of each object)" in plotted.stdout
    assert len(plotted.stdout.splitlines()) == 2
