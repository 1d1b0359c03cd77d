"""LightCurves → LSST wire messages of the newest schema.

Most of a packet's hundred fields per measurement are null or unknown here, so each record is a template of constant
bytes with the few known values between them.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import lsst
from schemas.light_curves import BANDS, LightCurves

NULL = b"\x00"
_CONSTANTS = {"float": struct.pack("<f", float("nan")), "double": struct.pack("<d", float("nan"))}
"""A required number that a light curve does not tell is NaN, a required count or id 0, a required text empty."""

_FILLERS = {
    "float": struct.pack("<f", 1.0), "double": struct.pack("<d", 1.0), "int": b"\x02", "long": b"\x02",
    "boolean": b"\x01", "string": b"\x02x",
}  # fmt: skip
_LEFT_NULL = ("ssObjectId", "timeWithdrawnMjdTai", "extendedness", "templateFlux", *lsst.FLAGS.values())
"""Fields that a full packet has null all the same: a value in them would make it another kind of alert."""

_CUTOUTS = ("cutoutDifference", "cutoutScience", "cutoutTemplate")

Part = bytes | str


class Template:
    """A record's bytes with the names of the values that go between them."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = _merged(parts)

    @classmethod
    def of(
        cls, record: dict[str, Any], values: tuple[str, ...], whole: tuple[str, ...] = (), full: bool = False
    ) -> Template:
        """``values`` are fields to be filled; those in ``whole`` bring the number of their union's branch along."""
        parts: list[Part] = []
        for field in record["fields"]:
            name, kind = field["name"], field["type"]
            nullable = isinstance(kind, list)
            if name in values or name in whole:
                if nullable and name in values:
                    parts.append(zigzag(next(k for k, branch in enumerate(kind) if branch != "null")))
                parts.append(name)
            elif full and nullable and name not in _LEFT_NULL and kind[-1] in _FILLERS:
                parts.append(zigzag(len(kind) - 1) + _FILLERS[kind[-1]])
            else:
                parts.append(zigzag(kind.index("null")) if nullable else _CONSTANTS.get(kind, NULL))
        return cls(parts)

    def filled(self, values: dict[str, bytes]) -> Template:
        """The template with some values put in."""
        return Template([values.get(part, part) if isinstance(part, str) else part for part in self.parts])

    def joined(self) -> bytes:
        """The record, once every value is in."""
        return b"".join(self.parts)  # type: ignore[arg-type]

    def records(self, columns: dict[str, list[bytes]], rows: list[int]) -> list[bytes]:
        """Pieces of one record for each row, joined end to end by whoever takes them."""
        constants = [part for part in self.parts if isinstance(part, bytes)]
        wanted = [columns[part] for part in self.parts if isinstance(part, str)]
        pieces: list[bytes] = []
        for row in rows:
            for constant, column in zip(constants, wanted, strict=False):
                pieces += (constant, column[row])
            pieces.append(constants[-1])
        return pieces


def _merged(parts: list[Part]) -> list[Part]:
    merged: list[Part] = [b""]
    for part in parts:
        if isinstance(part, bytes) and isinstance(merged[-1], bytes):
            merged[-1] += part
        else:
            merged += [part] if isinstance(part, bytes) or isinstance(merged[-1], bytes) else [b"", part]
    return merged if isinstance(merged[-1], bytes) else [*merged, b""]


def zigzag(value: int) -> bytes:
    """An Avro int or long."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


@cache
def _templates(full: bool) -> tuple[bytes, dict[str, Template]]:
    """The wire header and the templates of the newest schema."""
    schema_id = lsst.known_ids()[-1]
    alert, records = lsst.definitions(schema_id)
    record = {name.rpartition(".")[2]: definition for name, definition in records.items()}
    measured = ("midpointMjdTai", "ra", "dec", "psfFlux", "psfFluxErr", "band")
    counts = tuple(f"{band}_psfFluxNdata" for band in BANDS)
    templates = {
        "alert": Template.of(
            alert, ("diaSourceId",), ("diaSource", "prvDiaSources", "prvDiaForcedSources", "diaObject", *_CUTOUTS)
        ),
        "source": Template.of(
            record["diaSource"], ("diaSourceId", *measured), ("diaObjectId", "reliability"), full=full
        ),
        "forced": Template.of(record["diaForcedSource"], ("diaObjectId", *measured), full=full),
        "object": Template.of(
            record["diaObject"],
            ("diaObjectId", "ra", "dec", "nDiaSources", "firstDiaSourceMjdTai", "lastDiaSourceMjdTai", *counts),
            full=full,
        ),
    }
    return bytes([lsst.WIRE_MAGIC]) + schema_id.to_bytes(4, "big"), templates


def write(light_curves: LightCurves, *, full: bool = False, cutout: bytes = b"") -> list[bytes]:
    """One wire message of the newest LSST schema for each alert.

    The trigger is the last detection, the history the earlier ones, the forced photometry all points without one up
    to the trigger's time: a packet holds nothing later. Fluxes and errors become float32, as the schema has them.
    What a light curve does not tell is null, or where the schema requires a value NaN, 0 or empty. Reading the messages
    gives the light curves back, fluxes rounded to float32, as survey LSST and of the newest schema, provided the last
    detection is at ``alert_mjd``. ``n_points_dropped`` and the alert columns after it do not travel.

    To measure with packets as heavy as a telescope's: ``full`` gives the fields that a light curve does not tell a
    value in place of null, ``cutout`` is put in the place of each of the three images.

    Raises ValueError for an alert without a detection: there is nothing that could have triggered it.
    """
    columns = _point_columns(light_curves)
    header, templates = _templates(full)
    image = b"\x02" + zigzag(len(cutout)) + cutout if cutout else NULL
    templates = {**templates, "alert": templates["alert"].filled(dict.fromkeys(_CUTOUTS, image))}
    return [header + _alert(light_curves, columns, row, templates) for row in range(len(light_curves))]


def _point_columns(curves: LightCurves) -> dict[str, list[bytes]]:
    letters = [bytes([2, ord(band)]) for band in BANDS]
    return {
        "midpointMjdTai": _sliced(curves.time_mjd, "<f8"),
        "psfFlux": _sliced(curves.flux_njy, "<f4"),
        "psfFluxErr": _sliced(curves.flux_err_njy, "<f4"),
        "band": [letters[band] for band in curves.band.tolist()],
    }


def _sliced(values: NDArray, kind: str) -> list[bytes]:
    raw, size = values.astype(kind).tobytes(), int(kind[2:])
    return [raw[k : k + size] for k in range(0, len(raw), size)]


def _alert(curves: LightCurves, columns: dict[str, list[bytes]], row: int, templates: dict[str, Template]) -> bytes:
    span = slice(int(curves.offsets[row]), int(curves.offsets[row + 1]))
    detected = (np.flatnonzero(curves.is_detection[span]) + span.start).tolist()
    if not detected:
        raise ValueError(
            f"alert {curves.alert_id[row]} has no detection: an alert message must have one as its trigger"
        )
    trigger = detected[-1]
    limits = np.flatnonzero(~curves.is_detection[span]) + span.start
    limits = limits[curves.time_mjd[limits] <= curves.time_mjd[trigger]].tolist()
    object_id, reliability = int(curves.object_id[row]), float(curves.reliability[row])
    values = {
        "ra": struct.pack("<d", curves.ra_deg[row]),
        "dec": struct.pack("<d", curves.dec_deg[row]),
        "diaObjectId": b"\x02" + zigzag(object_id) if object_id else NULL,
        "reliability": NULL,
        "diaSourceId": zigzag(0),  # the ids of earlier measurements are not known
    }
    source = templates["source"].filled(values)
    forced = templates["forced"].filled({**values, "diaObjectId": zigzag(object_id)})
    values["diaSourceId"] = zigzag(int(curves.alert_id[row]))
    if np.isfinite(reliability):
        values["reliability"] = b"\x02" + struct.pack("<f", reliability)
    alert = {
        "diaSourceId": values["diaSourceId"],
        "diaSource": b"".join(templates["source"].filled(values).records(columns, [trigger])),
        "prvDiaSources": _array(source.records(columns, detected[:-1]), len(detected) - 1),
        "prvDiaForcedSources": _array(forced.records(columns, limits), len(limits)),
        "diaObject": NULL,
    }
    if not curves.is_solar_system[row]:
        alert["diaObject"] = _object(curves, columns, row, detected, values, templates["object"])
    return templates["alert"].filled(alert).joined()


def _array(pieces: list[bytes], count: int) -> bytes:
    return b"".join([b"\x02", zigzag(count), *pieces, NULL]) if count else NULL


def _object(
    curves: LightCurves,
    columns: dict[str, list[bytes]],
    row: int,
    detected: list[int],
    position: dict[str, bytes],
    template: Template,
) -> bytes:
    counts = np.bincount(curves.band[detected], minlength=len(BANDS))
    values = {
        **position,
        "diaObjectId": zigzag(int(curves.object_id[row])),
        "nDiaSources": zigzag(len(detected)),
        "firstDiaSourceMjdTai": columns["midpointMjdTai"][detected[0]],
        "lastDiaSourceMjdTai": columns["midpointMjdTai"][detected[-1]],
        **{f"{band}_psfFluxNdata": zigzag(int(count)) for band, count in zip(BANDS, counts, strict=True)},
    }
    return b"\x02" + template.filled(values).joined()
