"""SNANA's text format, as in the supernova photometric classification challenge (arXiv:1001.5210)."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.datasets.labelled import NJY_PER_FLUXCAL, Labelled
from models.hashing import scramble
from schemas.light_curves import BANDS, LightCurves

DETECTION_SIGNAL_TO_NOISE = 5.0
"""The files don't say what was detected: a flux of at least five times its error counts (LSE-163)."""

CLASS_ID = {
    "Ia": 2222,
    "Ib": 2223,
    "Ic": 2223,
    "Ibc": 2223,
    "Ib/c": 2223,
    "II": 2224,
    "IIn": 2224,
    "IIP": 2224,
    "IIL": 2224,
}
"""The simulated type to the taxonomy's class id."""

ID_SEED = 1001


@dataclass(frozen=True, slots=True)
class Release:
    """One object of a release: its number, position in degrees, class id, and points (time, flux, error, band)."""

    number: int
    ra_deg: float
    dec_deg: float
    class_id: int
    points: np.ndarray


def is_release(path: Path) -> bool:
    """Whether ``path`` is a tar archive, or a folder with one or with ``.DAT`` files."""
    return path.suffix in (".xz", ".gz", ".tar") or any(path.glob("*.tar.*")) or any(path.glob("*.DAT"))


def load(path: Path) -> Labelled:
    """The objects of a release (a tar archive, or a folder that holds one or the ``.DAT`` files), fluxes in nJy.

    Objects without a known simulated type, and objects never detected, are left out. Raises LookupError
    where no object is found.
    """
    digest = hashlib.sha256()
    objects = []
    for text in _texts(path):
        digest.update(text.encode())
        found = parse(text)
        if found is not None and (found.points["flux"] >= DETECTION_SIGNAL_TO_NOISE * found.points["error"]).any():
            objects.append(found)
    if not objects:
        raise LookupError(f"{path}: SNANA text must hold objects with a simulated type and a detection, found none")
    points = np.concatenate([found.points for found in objects])
    row = np.repeat(np.arange(len(objects)), [len(found.points) for found in objects])
    n = len(objects)
    light_curves = LightCurves.from_points(
        alert=row,
        columns={
            "time_mjd": points["time"],
            "flux_njy": points["flux"] * NJY_PER_FLUXCAL,
            "flux_err_njy": points["error"] * NJY_PER_FLUXCAL,
            "band": points["band"],
            "is_detection": points["flux"] >= DETECTION_SIGNAL_TO_NOISE * points["error"],
        },
        alerts={
            "alert_id": np.arange(n),
            "object_id": scramble([found.number for found in objects], ID_SEED),
            "alert_mjd": [found.points["time"].max() for found in objects],
            "ra_deg": [found.ra_deg % 360 for found in objects],
            "dec_deg": [found.dec_deg for found in objects],
            "survey": np.zeros(n),
            "schema_id": np.zeros(n),
            "is_solar_system": np.zeros(n, bool),
            "reliability": np.full(n, np.nan),
        },
    )
    return Labelled(
        light_curves, np.array([found.class_id for found in objects], np.int64), "SNANA", digest.hexdigest()
    )


def parse(text: str) -> Release | None:
    """One ``.DAT`` file; None where its type is unknown or it has no points in u, g, r, i, z or y."""
    header = dict(re.findall(r"^([A-Z_0-9]+):[ \t]*(.*?)[ \t]*$", text, flags=re.MULTILINE))
    class_id = _class_of(header)
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("OBS:")]
    columns = header.get("VARLIST", "").split()
    if class_id is None or not rows or not {"MJD", "FLT", "FLUXCAL", "FLUXCALERR"} <= set(columns):
        return None
    place = {name: columns.index(name) for name in ("MJD", "FLT", "FLUXCAL", "FLUXCALERR")}
    usable = [row for row in rows if row[place["FLT"]] in BANDS]
    points = np.array(
        [
            (
                float(r[place["MJD"]]),
                float(r[place["FLUXCAL"]]),
                float(r[place["FLUXCALERR"]]),
                BANDS.index(r[place["FLT"]]),
            )
            for r in usable
        ],
        dtype=[("time", "f8"), ("flux", "f8"), ("error", "f8"), ("band", "i1")],
    )
    if not len(points):
        return None
    return Release(int(header["SNID"].split()[0]), _degrees(header, "RA"), _degrees(header, "DECL"), class_id, points)


def _class_of(header: dict[str, str]) -> int | None:
    named = re.search(r"SN Type\s*=\s*([A-Za-z/]+)", header.get("SIM_COMMENT", ""))
    return CLASS_ID.get(named.group(1)) if named else None


def _degrees(header: dict[str, str], name: str) -> float:
    return float(header[name].split()[0])


def _texts(path: Path) -> Iterator[str]:
    if path.is_dir() and any(path.glob("*.DAT")):
        for file in sorted(path.glob("*.DAT")):
            yield file.read_text(errors="replace")
        return
    archives = [path] if path.is_file() else sorted(path.glob("*.tar.*"))
    for archive in archives:
        with tarfile.open(archive) as members:
            for member in members:
                stream = members.extractfile(member) if member.name.endswith(".DAT") else None
                if stream is not None:
                    yield stream.read().decode(errors="replace")
