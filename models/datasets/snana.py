"""SNANA's text format, as in the supernova photometric classification challenge (arXiv:1001.5210)."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.datasets.checked import TIME_MJD, numbers, object_names, positions, whole_numbers
from models.datasets.labelled import Labelled
from models.datasets.reading import UnreadableError, reading
from models.datasets.snana_objects import POINT, ReleasedObject, band_of, first_known, labelled_of

ARCHIVES = (".tar", ".tar.xz", ".tar.gz", ".tar.bz2", ".tgz")
ENDING = ".dat"
MISSING = "-9"
COLUMN_LISTS = ("VARLIST", "VARNAMES")
"""The fields that name the columns of the observations, in older and newer files."""


def is_release(path: Path) -> bool:
    """Whether ``path`` is a tar archive, or a folder with one or with ``.DAT`` files."""
    return _is_archive(path) or any(_is_archive(file) or _is_text(file.name) for file in path.glob("*"))


def load(path: Path) -> Labelled:
    """The objects of a release (a tar archive, or a folder that holds one or the ``.DAT`` files), fluxes in nJy.

    Objects of unknown types and objects without a detection are left out and counted in ``notes``. Raises
    UnreadableError with the file and the object if a value is invalid, a file is truncated, or no object remains.
    """
    digest = hashlib.sha256()
    objects = []
    for place, name, text in _texts(path):
        digest.update(text.encode())
        objects.append(parse(text, place, name))
    return labelled_of(objects, "SNANA text", path, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of one file: its fields, the line numbers of its observations, and their values."""

    file: str
    fields: dict[str, str]
    columns: list[str]
    lines: list[int]
    rows: list[list[str]]

    @property
    def name(self) -> str:
        return (self.fields.get("SNID", "").split() or [""])[0]

    def line_of(self, row: int) -> str:
        """The place of an observation."""
        return f"{self.file}, line {self.lines[row]}"

    def whole_place(self, _: int = 0) -> str:
        """The place of the fields."""
        return f"{self.file}, object {self.name}"

    def column(self, name: str) -> list[str]:
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def number(self, name: str, unknown: str = MISSING) -> float:
        """The first number of a field, or ``unknown`` if there is none."""
        value = (self.fields.get(name, "").split() or [unknown])[0]
        return float(numbers([value], name, self.whole_place)[0])

    def first_known(self, *names: str) -> float:
        return first_known(self.number(name) for name in names if name in self.fields)


def parse(text: str, file: str, name: str = "") -> ReleasedObject:
    """One ``.DAT`` file: ``file`` is its place for messages, ``name`` its name within the release.

    Raises UnreadableError as :func:`load`.
    """
    content = _content(text, file)
    points, flags = _points(content)
    ra, dec = positions(
        [content.number("RA", "nan")],
        [content.number("DECL" if "DECL" in content.fields else "DEC", "nan")],
        ("RA", "DECL"),
        content.whole_place,
    )
    photoz, photoz_err = _photoz(content)
    return ReleasedObject(
        name=content.name,
        file=name,
        ra_deg=float(ra[0]),
        dec_deg=float(dec[0]),
        points=points,
        flags=flags,
        photoz=photoz,
        photoz_err=photoz_err,
        type_name=_type_of(content.fields),
        redshift=content.first_known("SIM_REDSHIFT_HELIO", "SIM_REDSHIFT", "REDSHIFT_SPEC"),
        template=content.number("SIM_NON1a" if "SIM_NON1a" in content.fields else "SIM_TEMPLATE_INDEX"),
        spectroscopic=(content.fields.get("SNTYPE", "").split() or [MISSING])[0] not in (MISSING, "0"),
        peak_mjd=content.first_known("SIM_PEAKMJD"),
        trigger_mjd=content.first_known("MJD_TRIGGER"),
        is_simulated=any(name.startswith("SIM_") for name in content.fields),
    )


def _content(text: str, file: str) -> _Text:
    fields = dict(re.findall(r"^([A-Za-z_0-9/-]+):[ \t]*(.*?)[ \t]*$", text, flags=re.MULTILINE))
    columns: list[str] = next((fields[name].split() for name in COLUMN_LISTS if name in fields), [])
    observed = [(number, line.split()[1:]) for number, line in enumerate(text.splitlines(), 1) if line[:4] == "OBS:"]
    content = _Text(file, fields, columns, [number for number, _ in observed], [values for _, values in observed])
    if not content.name:
        raise UnreadableError(f"{file}: SNANA text must have the object's name in the field SNID, found none")
    object_names([content.name], "SNID", lambda row: file)
    for row, values in enumerate(content.rows):
        if len(values) < len(columns):
            raise UnreadableError(
                f"{content.line_of(row)}: an observation of the object {content.name} must have {len(columns)} values "
                f"({' '.join(columns)}), found {len(values)}: the file may be cut off"
            )
    declared = content.number("NOBS", "0")
    if declared > len(observed):
        raise UnreadableError(
            f"{content.whole_place()}: NOBS tells of {declared:,.0f} observations, found {len(observed):,}: the file "
            "may be cut off"
        )
    return content


def _type_of(fields: dict[str, str]) -> str:
    """The simulated type: in a comment in files of the challenge, in a separate field in later versions."""
    in_comment = re.search(r"SN Type\s*=\s*([A-Za-z/]+)", fields.get("SIM_COMMENT", ""))
    return in_comment.group(1) if in_comment else (fields.get("SIM_TYPE_NAME", "").split() or [""])[0]


def _points(content: _Text) -> tuple[np.ndarray, NDArray[np.int64] | None]:
    """The points in known bands, and their PHOTFLAG if the file has the column."""
    band_column = "BAND" if "BAND" in content.columns else "FLT"
    wanted = ("MJD", band_column, "FLUXCAL", "FLUXCALERR")
    missing = [name for name in wanted if name not in content.columns]
    if missing:
        raise UnreadableError(
            f"{content.whole_place()}: VARLIST or VARNAMES must name the columns {' '.join(wanted)}, of which "
            f"{' '.join(missing)} are missing; found {' '.join(content.columns) or 'none'}"
        )
    band = np.array([band_of(name) for name in content.column(band_column)], np.int64)
    rows = np.flatnonzero(band >= 0)
    points = np.zeros(len(rows), POINT)
    points["band"] = band[rows]

    def place(row: int) -> str:
        return content.line_of(int(rows[row]))

    for field, name, column in (("time", "MJD", TIME_MJD), ("flux", "FLUXCAL", None), ("error", "FLUXCALERR", None)):
        points[field] = numbers(np.array(content.column(name), object)[rows], name, place, column)
    if "PHOTFLAG" not in content.columns:
        return points, None
    flags = np.array(content.column("PHOTFLAG"), object)[rows]
    return points, whole_numbers(flags, "PHOTFLAG", "a number from 0 to 2^31", place, 0, 2**31)


def _photoz(content: _Text) -> tuple[float, float]:
    """The host's photometric redshift and its error; ``z +- error`` in the challenge, two fields later."""
    text = content.fields.get("HOST_GALAXY_PHOTO-Z", content.fields.get("HOSTGAL_PHOTOZ", MISSING))
    values = re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text)
    error = float(values[1]) if len(values) > 1 else content.first_known("HOSTGAL_PHOTOZ_ERR")
    return float(values[0]) if values else np.nan, error


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVES)


def _is_text(name: str) -> bool:
    return name.lower().endswith(ENDING)


def _texts(path: Path) -> Iterator[tuple[str, str, str]]:
    """For the file of each object: its place, a name, and the text."""
    texts = sorted(file for file in path.glob("*") if _is_text(file.name))
    for file in texts:
        yield str(file), file.stem, file.read_text(encoding="utf-8", errors="replace")
    if texts:
        return
    archives = [path] if path.is_file() else sorted(file for file in path.glob("*") if _is_archive(file))
    for archive in archives:
        for name, content in _members(archive):
            yield f"{archive}: {name}", f"{archive.name}/{Path(name).with_suffix('')}", content.decode(errors="replace")


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with reading(archive, "a tar archive"), tarfile.open(archive) as members:
        for member in members:
            stream = members.extractfile(member) if _is_text(member.name) else None
            if stream is not None:
                yield member.name, stream.read()
        _require_end(members)


def _require_end(members: tarfile.TarFile) -> None:
    """Require the empty block at the end: the library does not report an archive that is truncated within a header."""
    source = members.fileobj
    if source is not None:
        source.seek(members.offset)
        block = source.read(tarfile.BLOCKSIZE)
        if block.strip(b"\x00") or 0 < len(block) < tarfile.BLOCKSIZE:
            raise EOFError("it is cut off")
