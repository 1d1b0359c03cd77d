"""SNANA's text format, as in the supernova photometric classification challenge (arXiv:1001.5210)."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.datasets.labelled import Labelled
from models.datasets.snana_objects import POINT, Release, band_of, class_of, first_known, labelled_of, template_of

ARCHIVES = (".tar", ".tar.xz", ".tar.gz", ".tar.bz2", ".tgz")
MISSING = "-9"


def is_release(path: Path) -> bool:
    """Whether ``path`` is a tar archive, or a folder with one or with ``.DAT`` files."""
    return _is_archive(path) or any(map(_is_archive, path.glob("*"))) or any(path.glob("*.DAT"))


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
        if found is not None and found.is_detection.any():
            objects.append(found)
    if not objects:
        raise LookupError(f"{path}: SNANA text must hold objects with a simulated type and a detection, found none")
    return labelled_of(objects, "SNANA", digest.hexdigest())


def parse(text: str) -> Release | None:
    """One ``.DAT`` file; None where its type is unknown or it has no points in u, g, r, i, z or y."""
    header = dict(re.findall(r"^([A-Za-z_0-9/-]+):[ \t]*(.*?)[ \t]*$", text, flags=re.MULTILINE))
    type_name = _type_of(header)
    points, flags = _points(text, header.get("VARLIST", "").split())
    class_id = class_of(type_name)
    if class_id is None or not len(points):
        return None
    number = int(header["SNID"].split()[0])
    template = _number(header, "SIM_NON1a") if "SIM_NON1a" in header else _number(header, "SIM_TEMPLATE_INDEX")
    photoz, photoz_err = _photoz(header)
    return Release(
        number=number,
        ra_deg=_number(header, "RA", unknown="nan"),
        dec_deg=_number(header, "DECL" if "DECL" in header else "DEC", unknown="nan"),
        class_id=class_id,
        points=points,
        flags=flags,
        photoz=photoz,
        photoz_err=photoz_err,
        type_name=type_name,
        redshift=_first_known(header, "SIM_REDSHIFT_HELIO", "SIM_REDSHIFT", "REDSHIFT_SPEC"),
        template=template_of(template, number),
        spectroscopic=header.get("SNTYPE", MISSING).split()[0] not in (MISSING, "0"),
        peak_mjd=_first_known(header, "SIM_PEAKMJD"),
        trigger_mjd=_first_known(header, "MJD_TRIGGER"),
        is_simulated=any(name.startswith("SIM_") for name in header),
    )


def _type_of(header: dict[str, str]) -> str:
    """The simulated type: named in a comment by the challenge, in a field of its own by later versions."""
    named = re.search(r"SN Type\s*=\s*([A-Za-z/]+)", header.get("SIM_COMMENT", ""))
    return named.group(1) if named else (header.get("SIM_TYPE_NAME", "").split() or [""])[0]


def _points(text: str, columns: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """The points in known bands, and their PHOTFLAG where the file has the column."""
    band_column = "BAND" if "BAND" in columns else "FLT"
    none = np.empty(0, POINT)
    if not {"MJD", band_column, "FLUXCAL", "FLUXCALERR"} <= set(columns):
        return none, None
    mjd, band, flux, error = (columns.index(name) for name in ("MJD", band_column, "FLUXCAL", "FLUXCALERR"))
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("OBS:")]
    rows = [row for row in rows if band_of(row[band]) >= 0]
    points = np.array([(float(r[mjd]), float(r[flux]), float(r[error]), band_of(r[band])) for r in rows], dtype=POINT)
    if "PHOTFLAG" not in columns:
        return points, None
    flag = columns.index("PHOTFLAG")
    return points, np.array([int(r[flag]) for r in rows], np.int64)


def _photoz(header: dict[str, str]) -> tuple[float, float]:
    """The host's photometric redshift and its error; ``z +- error`` in the challenge, two fields later."""
    text = header.get("HOST_GALAXY_PHOTO-Z", header.get("HOSTGAL_PHOTOZ", MISSING))
    found = re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text)
    error = float(found[1]) if len(found) > 1 else _first_known(header, "HOSTGAL_PHOTOZ_ERR")
    return float(found[0]) if found else np.nan, error


def _first_known(header: dict[str, str], *names: str) -> float:
    return first_known(_number(header, name) for name in names if name in header)


def _number(header: dict[str, str], name: str, unknown: str = MISSING) -> float:
    return float((header.get(name, "").split() or [unknown])[0])


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVES)


def _texts(path: Path) -> Iterator[str]:
    if path.is_dir() and any(path.glob("*.DAT")):
        for file in sorted(path.glob("*.DAT")):
            yield file.read_text(errors="replace")
        return
    archives = [path] if path.is_file() else sorted(file for file in path.glob("*") if _is_archive(file))
    for archive in archives:
        with tarfile.open(archive) as members:
            for member in members:
                stream = members.extractfile(member) if member.name.endswith(".DAT") else None
                if stream is not None:
                    yield stream.read().decode(errors="replace")
