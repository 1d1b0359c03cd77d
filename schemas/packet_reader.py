"""Messages of any survey → LightCurves and dead letters: what ``schemas.packets.read`` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from schemas import container, elasticc, lsst, ztf
from schemas.avro_values import MISSING
from schemas.columns import Compiler, Program, Refusal
from schemas.dead_letters import DeadLetter
from schemas.light_curves import LightCurves
from schemas.packet_rows import PacketRows
from schemas.passbands import ELASTICC, LSST, ZTF
from schemas.photometry import EARLIEST_MJD, LATEST_MJD
from schemas.unpacking import packing_of

UNPACKED_LIMIT = 4
"""A container may unpack to at most this many times the size limit."""

MAX_ALERTS_PER_MESSAGE = 10_000

_BYTES_PER_POINT = 100
"""A measurement takes more: so there is room for all, and room that is not used costs nothing."""

_WIRE = bytes([lsst.WIRE_MAGIC])

_SURVEY: dict[int, ModuleType] = {ELASTICC: elasticc, ZTF: ztf, LSST: lsst}
"""In the order a container is tried: ELAsTiCC's fields include the LSST's."""


def read(messages: Sequence[bytes], topic: str | None, size_limit_bytes: int) -> tuple[LightCurves, list[DeadLetter]]:
    """See :func:`schemas.packets.read`."""
    rows: dict[int, PacketRows] = {}
    dead: list[DeadLetter] = []
    others, wire = _sorted_out(messages, size_limit_bytes)
    for header, index in wire.items():
        try:
            dead += _read_wire(header, [messages[i] for i in index], index, rows)
        except Exception:  # whatever it is: one by one, so that only the culprit is refused
            others += index
    for i in others:
        reason = _read_alone(messages[i], i, rows, size_limit_bytes)
        dead += [DeadLetter(i, "decode", reason)] if reason else []
    dead = [letter._replace(reason=_from_topic(letter.reason, topic)) for letter in dead]
    parts = []
    for survey, batch in rows.items():
        part, refused = _light_curves(survey, batch)
        parts.append(part)
        dead += refused
    curves = LightCurves.concatenate(parts)
    if (np.diff(curves.packet_index) < 0).any():
        curves = curves.select(np.argsort(curves.packet_index, kind="stable"))
    return curves, sorted(dead, key=lambda letter: letter.packet_index)


def _sorted_out(messages: Sequence[bytes], size_limit_bytes: int) -> tuple[list[int], dict[bytes, list[int]]]:
    """Places of the messages that are read one by one, and of the wire messages by their header."""
    others: list[int] = []
    wire: dict[bytes, list[int]] = {}
    for i, message in enumerate(messages):
        is_wire = type(message) is bytes and message[:1] == _WIRE
        if is_wire and lsst.WIRE_HEADER_BYTES <= len(message) <= size_limit_bytes:
            wire.setdefault(message[: lsst.WIRE_HEADER_BYTES], []).append(i)
        else:
            others.append(i)
    return others, wire


def _read_wire(header: bytes, messages: list[bytes], index: list[int], rows: dict[int, PacketRows]) -> list[DeadLetter]:
    """Read wire messages of one schema, and tell what was refused."""
    try:
        schema_id, program = lsst.wire_program(header)
    except Refusal as refusal:
        return [DeadLetter(i, "decode", str(refusal)) for i in index]
    if LSST not in rows:
        rows[LSST] = PacketRows(lsst.LAYOUT, len(messages), 1_000 + sum(map(len, messages)) // _BYTES_PER_POINT)
    batch = rows[LSST]
    refused = batch.read_messages(program, messages, lsst.WIRE_HEADER_BYTES, index, schema_id)
    return [DeadLetter(i, "decode", reason) for i, reason in refused]


def _read_alone(message: bytes, index: int, rows: dict[int, PacketRows], size_limit_bytes: int) -> str:
    """Read a message that is not one of many alike; returns why it was refused, "" where it was not."""
    marks = {survey: (batch.n_alerts, batch.n_points) for survey, batch in rows.items()}
    try:
        _read_message(message, index, rows, size_limit_bytes)
        return ""
    except Refusal as refusal:
        reason = str(refusal)
    except Exception as error:  # whatever a message does, its neighbours go on
        reason = f"not readable: {type(error).__name__}: {error}"
    for survey, batch in rows.items():
        batch.forget_after(*marks.get(survey, (0, 0)))
    return reason


def _from_topic(reason: str, topic: str | None) -> str:
    return f"{reason} (topic {topic})" if topic else reason


def _read_message(message: bytes, index: int, rows: dict[int, PacketRows], size_limit_bytes: int) -> None:
    if len(message) > size_limit_bytes:
        raise Refusal(f"a message may have at most {size_limit_bytes:,} bytes, found {len(message):,}")
    message = bytes(message)
    if message[:4] == container.MAGIC:
        _read_container(message, index, rows, size_limit_bytes)
    elif message[:1] == _WIRE:
        for letter in _read_wire(message[: lsst.WIRE_HEADER_BYTES], [message], [index], rows):
            raise Refusal(letter.reason)
    elif kind := packing_of(message):
        raise Refusal(
            f"a message must not be packed: it is packed with {kind}; a file of packed alerts is read unless it is cut "
            f"off or damaged"
        )
    elif message:
        raise Refusal(
            "a message must begin with byte 00 and a schema id (wire message) or with 'Obj' 01 (Avro container), "
            f"found {message[:4].hex()} at byte 0 of {len(message):,}"
        )
    else:
        raise Refusal("the message is empty: 0 bytes")


def _read_container(message: bytes, index: int, rows: dict[int, PacketRows], size_limit_bytes: int) -> None:
    header = container.read_header(message)
    survey, schema_id, program = _container_program(header.schema)
    batch = rows.get(survey) or rows.setdefault(survey, PacketRows(_SURVEY[survey].LAYOUT))
    n = 0
    for count, data in container.blocks(message, header, UNPACKED_LIMIT * size_limit_bytes):
        if n + count > MAX_ALERTS_PER_MESSAGE:
            raise Refusal(f"a container may hold at most {MAX_ALERTS_PER_MESSAGE:,} alerts, found {n + count:,}")
        buffer, at = np.frombuffer(data, np.uint8), 0
        for _ in range(count):
            n += 1
            at = batch.read(program, buffer, at, len(data), (index, schema_id, f"alert {n} of the container: "))
        if at != len(data):
            raise Refusal(f"the block's alerts end at byte {at:,} of {len(data):,}, and {len(data) - at:,} more follow")
    if n == 0:
        raise Refusal(f"the container of {len(message):,} bytes holds no alert")


@lru_cache(maxsize=64)
def _container_program(schema_text: bytes) -> tuple[int, int, Program]:
    """Survey, schema id and program of a container's schema."""
    try:
        schema = json.loads(schema_text)
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise Refusal("the container's schema must be a record")
        for survey, module in _SURVEY.items():
            if module.recognises(schema):
                return survey, module.schema_id_of(schema), Compiler(module.LAYOUT).compile(schema)
        names = [str(field["name"]) for field in schema["fields"]][:8]
        raise Refusal(
            f"the container holds no alerts of a known survey; its records have the fields {', '.join(names)}"
        )
    except RecursionError as error:
        raise Refusal("the container's schema nests too deep to be an alert's") from error
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Refusal(
            f"the container's schema is no Avro schema: {type(error).__name__}: {str(error)[:200]}"
        ) from error


def _light_curves(survey: int, rows: PacketRows) -> tuple[LightCurves, list[DeadLetter]]:
    """The light curves of one survey's rows, and the alerts that have none."""
    with np.errstate(all="ignore"):  # a corrupt value becomes NaN or infinity, and is dropped with its point
        owner, points, alerts = _SURVEY[survey].columns(rows)
        time = points["time_mjd"]
        points["time_mjd"] = np.where((time >= EARLIEST_MJD) & (time <= LATEST_MJD), time, np.nan)
        alerts["survey"] = np.full(rows.n_alerts, survey)
        alerts["packet_index"] = np.array(rows.packet_index, np.int64)
        curves = LightCurves.from_points(alert=owner, columns=points, alerts=alerts)
    reasons = _refusals(curves)
    dead = [
        DeadLetter(rows.packet_index[row], "light curve", rows.place[row] + reason) for row, reason in reasons.items()
    ]
    if reasons:
        good = np.ones(len(curves), bool)
        good[list(reasons)] = False
        curves = curves.select(good)
    return curves, dead


def _refusals(curves: LightCurves) -> dict[int, str]:
    """Why an alert cannot be used, by its row."""
    mjd, ra, dec = curves.alert_mjd, curves.ra_deg, curves.dec_deg
    checks: list[tuple[NDArray[np.bool_], str]] = [
        (curves.alert_id == MISSING, "it has no id"),
        (curves.object_id == MISSING, "its object's name is not one of its survey"),
        (~((mjd >= EARLIEST_MJD) & (mjd <= LATEST_MJD)), _TIME_REASON),
        (~((ra >= 0) & (ra < 360)), "its right ascension must be in [0, 360) deg, found {ra_deg}"),
        (~((dec >= -90) & (dec <= 90)), "its declination must be in [-90, 90] deg, found {dec_deg}"),
        (curves.n_points == 0, _NO_POINTS_REASON),
    ]
    reasons: dict[int, str] = {}
    for failed, text in checks:
        for row in np.flatnonzero(failed):
            named = ("alert_mjd", "ra_deg", "dec_deg", "n_points_dropped")
            measured = {name: getattr(curves, name)[row] for name in named}
            subject = "alert without id: " if curves.alert_id[row] == MISSING else f"alert {curves.alert_id[row]}: "
            reasons.setdefault(int(row), subject + text.format(**measured))
    return reasons


_TIME_REASON = f"its time must be MJD {EARLIEST_MJD:.0f} to {LATEST_MJD:.0f}, found {{alert_mjd}}"
_NO_POINTS_REASON = (
    "it has no usable measurement: {n_points_dropped} were refused as not finite, no possible magnitude, of 1e9 nJy "
    "or more, without an error greater than 0, without a known band or at an impossible time"
)
