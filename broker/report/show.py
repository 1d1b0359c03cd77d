"""Alert files as a person reads them: a table, JSON, or a plot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.text_output import printable
from models.datasets import stream_files
from schemas import packets
from schemas.counts import counted
from schemas.files import files_in
from schemas.identifiers import object_name
from schemas.light_curves import BANDS, LightCurves
from schemas.other_files import NoAlertsError
from schemas.passbands import BAND_COLOURS, SURVEYS

LAST_POINTS = 8
"""Points of a light curve that its table shows."""


@dataclass(frozen=True)
class RefusedPacket:
    """A file, or an alert in it, that could not be used."""

    file: Path
    reason: str


@dataclass(frozen=True)
class Shown:
    """What was read: ``entries`` are rows of ``light_curves`` or refusals, in the order of the files.

    ``without_alert``: of the paths that were asked for, those that gave not one alert. ``passed_over``: what
    there is to tell of files in folders and archives that hold something else than alerts.
    """

    light_curves: LightCurves
    entries: tuple[int | RefusedPacket, ...]
    files: tuple[Path, ...]
    without_alert: tuple[Path, ...] = ()
    passed_over: tuple[NoAlertsError, ...] = ()

    def name_of(self, row: int) -> str:
        """What the data set calls the object that a stream was converted from; "" if nothing tells."""
        return _names_beside(self.files[row]).get(int(self.light_curves.object_id[row]), "")

    def last_of_each_object(self) -> Shown:
        """The last alert of each object; refusals, and alerts of no object, stay."""
        curves = self.light_curves
        last: dict[tuple[int, int], int] = {}
        for row in np.argsort(curves.alert_mjd, kind="stable").tolist():
            object_id = int(curves.object_id[row])
            last[(int(curves.survey[row]), object_id) if object_id else (-1, row)] = row
        rows = sorted(last.values())
        place = {row: k for k, row in enumerate(rows)}
        entries = tuple(
            place[e] if isinstance(e, int) else e for e in self.entries if e in place or not isinstance(e, int)
        )
        return replace(
            self, light_curves=curves.select(rows), entries=entries, files=tuple(self.files[row] for row in rows)
        )


_names_beside = lru_cache(maxsize=64)(stream_files.names_beside)


def read_alerts(paths: Iterable[str | Path], size_limit_bytes: int = packets.SIZE_LIMIT_BYTES) -> Shown:
    """Read every alert in the files; a file that cannot be read is an entry with the reason, and the others go on."""
    parts: list[LightCurves] = []
    entries: list[int | RefusedPacket] = []
    files: list[Path] = []
    without_alert: list[Path] = []
    passed_over: list[NoAlertsError] = []
    for path in paths:
        before = len(files)
        for file in files_in(path):
            try:
                messages, origins = packets.read_files(file, passed_over.append)
            except (OSError, ValueError) as error:
                if isinstance(error, NoAlertsError) and file != Path(path):
                    passed_over.append(error)
                else:
                    entries.append(RefusedPacket(file, str(error)))
                continue
            curves, dead = packets.read(messages, size_limit_bytes=size_limit_bytes)
            first = len(files)
            by_packet: list[tuple[int, int | RefusedPacket]] = [
                (letter.packet_index, RefusedPacket(origins[letter.packet_index], f"{letter.stage}: {letter.reason}"))
                for letter in dead
            ]
            by_packet += [(int(packet), first + row) for row, packet in enumerate(curves.packet_index)]
            entries += [entry for _, entry in sorted(by_packet, key=lambda pair: pair[0])]
            files += [origins[packet] for packet in curves.packet_index]
            parts.append(curves)
        if len(files) == before:
            without_alert.append(Path(path))
    curves = LightCurves.concatenate(parts)
    return Shown(curves, tuple(entries), tuple(files), tuple(without_alert), tuple(passed_over))


def as_json(shown: Shown) -> dict[str, Any]:
    """``{"alerts": [...]}``: ids as strings, an array for each column of points, and ``dead_letter`` null or why.

    Times are MJD TAI, fluxes nJy. An object goes by the survey's own name, "0" where there is none. A refusal
    has its file and its reason, and null for the rest.
    """
    return {"alerts": [_json_entry(shown, entry) for entry in shown.entries]}


def _json_entry(shown: Shown, entry: int | RefusedPacket) -> dict[str, Any]:
    if isinstance(entry, RefusedPacket):
        keys = ("survey", "schema_id", "alert_id", "object_id", "n_points")
        points = ("time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection")
        return {"file": str(entry.file), **dict.fromkeys((*keys, *points)), "dead_letter": entry.reason}
    curves = shown.light_curves
    span = slice(int(curves.offsets[entry]), int(curves.offsets[entry + 1]))
    survey, object_id = int(curves.survey[entry]), int(curves.object_id[entry])
    return {
        "file": str(shown.files[entry]),
        "survey": SURVEYS[survey],
        "schema_id": int(curves.schema_id[entry]),
        "alert_id": str(curves.alert_id[entry]),
        "object_id": object_name(survey, object_id) or "0",
        "n_points": int(curves.n_points[entry]),
        "time_mjd": curves.time_mjd[span].tolist(),
        "flux_njy": curves.flux_njy[span].tolist(),
        "flux_err_njy": curves.flux_err_njy[span].tolist(),
        "band": [BANDS[band] for band in curves.band[span]],
        "is_detection": curves.is_detection[span].tolist(),
        "dead_letter": None,
    }


def print_alerts(shown: Shown, console: Console, *, tables: bool = True) -> None:
    """A table for each alert with its last points, if ``tables``, and each refusal in red with its reason."""
    for entry in shown.entries:
        if isinstance(entry, RefusedPacket):
            reason = entry.reason.removeprefix(str(entry.file)).removeprefix(":").strip()
            file, reason = printable(entry.file), printable(reason)
            text = Text.assemble(("refused ", "bold red"), (file, "bold"), "  ", (reason, "red"))
            console.print(text, soft_wrap=True)
        elif tables:
            console.print(_table(shown, entry))
    refused = sum(isinstance(entry, RefusedPacket) for entry in shown.entries)
    console.print(counted(len(shown.light_curves), "alert") + (f", {refused:,} refused" if refused else ""))


def _table(shown: Shown, row: int) -> Table:
    curves = shown.light_curves
    table = Table(title=_title(shown, row), title_justify="left", caption=_caption(curves, row), caption_justify="left")
    for name, justify in (("MJD (TAI)", "right"), ("band", "center"), ("flux (nJy)", "right"), ("error", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("S/N", justify="right")
    table.add_column("measured by")
    end = int(curves.offsets[row + 1])
    for point in range(max(int(curves.offsets[row]), end - LAST_POINTS), end):
        band = BANDS[curves.band[point]]
        table.add_row(
            f"{curves.time_mjd[point]:.5f}",
            Text(band, style=f"bold {BAND_COLOURS[band]} on white"),
            f"{curves.flux_njy[point]:,.1f}",
            f"{curves.flux_err_njy[point]:,.1f}",
            f"{curves.flux_njy[point] / curves.flux_err_njy[point]:.1f}",
            "detection" if curves.is_detection[point] else "forced photometry",
        )
    return table


def _title(shown: Shown, row: int) -> Text:
    curves = shown.light_curves
    survey = int(curves.survey[row])
    schema_id = int(curves.schema_id[row])
    version = f" {schema_id // 100}.{schema_id % 100:02d}" if schema_id else ""
    name = object_name(survey, int(curves.object_id[row]))
    given = printable(shown.name_of(row))
    belongs = f"of object {name}{f' ({given})' if given else ''}" if name else "of no object"
    heading = f"{SURVEYS[survey]}{version} alert {curves.alert_id[row]} {belongs}"
    place = f"RA {curves.ra_deg[row]:.6f}  Dec {curves.dec_deg[row]:+.6f} deg"
    solar = "  Solar System object" if curves.is_solar_system[row] else ""
    reliability = curves.reliability[row]
    rating = f"  reliability {reliability:.3f}" if np.isfinite(reliability) else ""
    return Text.assemble(
        (printable(heading), "bold"), "\n", place, rating, (solar, "yellow"), "\n", (printable(shown.files[row]), "dim")
    )


def _caption(curves: LightCurves, row: int) -> str:
    points, dropped = int(curves.n_points[row]), int(curves.n_points_dropped[row])
    text = f"the last {LAST_POINTS} of {points:,} points" if points > LAST_POINTS else f"all {counted(points, 'point')}"
    return text + (
        f"; {counted(dropped, 'measurement')} refused (not finite, no possible magnitude or flux, or no error)"
        if dropped
        else ""
    )
