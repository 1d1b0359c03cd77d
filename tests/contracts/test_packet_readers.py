"""One contract for every packet reader, over real alerts of every survey and version.

The expected light curves are computed here from the packets as fastavro decodes them, one alert and one point at a time
from the definitions, apart from the readers' own code.
"""

from __future__ import annotations

import io
import json
import math
import struct
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import fastavro
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.time import Time

from schemas import packets
from schemas.identifiers import object_name
from schemas.light_curves import BANDS, LightCurves
from schemas.lsst import known_ids, schema_folder
from schemas.passbands import SURVEYS

EARLIEST, LATEST = 50_000.0, 80_000.0


class Expected(NamedTuple):
    """An alert as it should be read."""

    survey: str
    schema_id: int
    alert_id: int
    name: str
    alert_mjd: float
    ra: float
    dec: float
    solar: bool
    reliability: float
    points: dict[tuple[float, str], tuple[float, float, bool]]


def tai(jd: float) -> float:
    return float(Time(jd, format="jd", scale="utc").tai.mjd)


def gathered(measured: list[tuple], alert_mjd: float) -> dict:
    """Points by time and band: the first listed counts, and it is a detection if any is.

    Forced photometry must be listed first, limits last.
    """
    points: dict = {}
    for time, band, flux, error, detected in measured:
        numbers = (time, flux, error)
        if any(value is None or not math.isfinite(value) for value in numbers) or error <= 0 or time > alert_mjd:
            continue
        if band is None or band.lower() not in BANDS or not EARLIEST <= time <= LATEST or abs(flux) >= 1e9:
            continue
        key = (time, band.lower())
        first = points.get(key, (flux, error, False))
        points[key] = (first[0], first[1], first[2] or detected)
    return points


def from_rubin(record: dict, schema_id: int, survey: str = "LSST", scale: float = 1.0) -> Expected:
    source = record["diaSource"]

    def values(item: dict, detected: bool) -> tuple | None:
        withdrawn = item.get("timeWithdrawnMjdTai")
        if withdrawn is not None and not math.isnan(withdrawn):  # real packets of 9.0 have NaN where none is meant
            return None
        time = item.get("midpointMjdTai", item.get("midPointTai"))
        band = item.get("band", item.get("filterName"))
        flux, error = item.get("psfFlux", item.get("psFlux")), item.get("psfFluxErr", item.get("psFluxErr"))
        return time, band, None if flux is None else flux * scale, None if error is None else error * scale, detected

    listed = [values(item, False) for item in record["prvDiaForcedSources"] or []]
    listed += [values(item, True) for item in [source, *(record["prvDiaSources"] or [])]]
    alert_mjd = source.get("midpointMjdTai", source.get("midPointTai"))
    reliability = source.get("reliability")
    solar_ids = (source.get("ssObjectId"), (record.get("ssSource") or {}).get("ssObjectId"))
    return Expected(
        survey,
        schema_id,
        source["diaSourceId"],
        str(source["diaObjectId"] or (record["diaObject"] or {}).get("diaObjectId") or ""),
        alert_mjd,
        source["ra"],
        source.get("dec", source.get("decl")),
        any(solar_ids) or record["diaObject"] is None or record.get("ssObject") is not None,
        math.nan if reliability is None else reliability,
        gathered([item for item in listed if item], alert_mjd),
    )


def from_ztf(record: dict, version: str) -> Expected:
    candidate = record["candidate"]
    listed, limits = [], []
    for item in record.get("fp_hists") or []:
        if item["forcediffimflux"] is not None and item["forcediffimflux"] != -99999.0:
            unit = 10 ** ((31.4 - item["magzpsci"]) / 2.5)
            flux, error = item["forcediffimflux"] * unit, item["forcediffimfluxunc"] * unit
            listed.append((tai(item["jd"]), " gri"[item["fid"]], flux, error, False))
    for item in [candidate, *(record["prv_candidates"] or [])]:
        if item["magpsf"] is None:
            limit = 10 ** ((31.4 - item["diffmaglim"]) / 2.5)
            limits.append((tai(item["jd"]), " gri"[item["fid"]], 0.0, limit / 5, False))
        else:
            flux = 10 ** ((31.4 - item["magpsf"]) / 2.5)
            sign = {"t": 1, "1": 1, "f": -1, "0": -1}[item["isdiffpos"]]
            error = flux * item["sigmapsf"] * math.log(10) / 2.5
            listed.append((tai(item["jd"]), " gri"[item["fid"]], sign * flux, error, True))
    major, minor = version.split(".")
    distance = candidate["ssdistnr"]
    return Expected(
        "ZTF",
        100 * int(major) + int(minor),
        record["candid"],
        record["objectId"],
        tai(candidate["jd"]),
        candidate["ra"],
        candidate["dec"],
        distance is not None and 0 <= distance <= 5,
        candidate.get("drb") if candidate.get("drb") is not None else candidate["rb"],
        gathered(listed + limits, tai(candidate["jd"])),
    )


@cache
def rubin_schema(schema_id: int):
    folder = schema_folder() / str(schema_id // 100) / str(schema_id % 100)
    prefix = f"lsst.v{schema_id // 100}_{schema_id % 100}"
    return fastavro.schema.load_schema(str(folder / f"{prefix}.alert.avsc"))


def records_of(message: bytes) -> list[dict]:
    if message[0] == 0:
        schema = rubin_schema(struct.unpack(">I", message[1:5])[0])
        return [fastavro.schemaless_reader(io.BytesIO(message[5:]), schema, None)]
    return list(fastavro.reader(io.BytesIO(message)))


def decoded(message: bytes) -> Iterator[Expected]:
    """Every alert of a message, by fastavro."""
    if message[0] == 0:
        schema_id = struct.unpack(">I", message[1:5])[0]
        yield from_rubin(fastavro.schemaless_reader(io.BytesIO(message[5:]), rubin_schema(schema_id), None), schema_id)
        return
    reader = fastavro.reader(io.BytesIO(message))
    schema = json.loads(reader.metadata["avro.schema"])
    for record in reader:
        if "candidate" in record:
            yield from_ztf(record, record.get("schemavsn") or schema["version"])
        elif "elasticc" in schema.get("namespace", "") or "elasticc" in schema["name"]:
            yield from_rubin(record, 9, "ELAsTiCC", 10 ** ((31.4 - 27.5) / 2.5))
        else:
            version = record.get("lsst_schema_version") or schema["name"]
            major, minor = version.removeprefix("lsst.v").removesuffix(".alert").split("_")
            yield from_rubin(record, 100 * int(major) + int(minor))


def messages_of(shared_data: Path, kind: str) -> list[bytes]:
    if kind == "elasticc":
        with tarfile.open(next((shared_data / "elasticc").glob("*.tar.xz"))) as archive:
            members = [member for member in archive if member.isfile()]
            some = members[:: max(len(members) // 280, 1)]  # the small set has so many
            return [archive.extractfile(member).read() for member in some]  # type: ignore[union-attr]
    if kind == "fakes":
        return [file.read_bytes() for file in sorted((shared_data / "rubin-wire").glob("lsst*"))]
    folders = {"rubin-wire": "rubin-wire/[ab]*", "rubin": "rubin/*.avro", "ztf": "ztf/[vs]*/*.avro"}
    return [file.read_bytes() for file in sorted(shared_data.glob(folders[kind]))]


KINDS = {"rubin-wire": 3, "rubin": 5, "ztf": 16, "elasticc": 280, "fakes": 10}
"""Least number of messages that each kind must have, so that no test passes for want of data; the large folder has
more."""


@pytest.fixture(scope="module", params=KINDS)
def batch(request: pytest.FixtureRequest, shared_data: Path) -> tuple[list[bytes], list[tuple[int, Expected]]]:
    messages = messages_of(shared_data, request.param)
    assert len(messages) >= KINDS[request.param]
    return messages, [(index, alert) for index, message in enumerate(messages) for alert in decoded(message)]


def in_range(alert: Expected) -> bool:
    return EARLIEST <= alert.alert_mjd <= LATEST and bool(alert.points)


def check(curves: LightCurves, row: int, alert: Expected) -> None:
    assert SURVEYS[curves.survey[row]] == alert.survey
    assert curves.schema_id[row] == alert.schema_id
    assert curves.alert_id[row] == alert.alert_id
    assert object_name(int(curves.survey[row]), int(curves.object_id[row])) == alert.name
    assert curves.alert_mjd[row] == pytest.approx(alert.alert_mjd, abs=1e-9)
    assert (curves.ra_deg[row], curves.dec_deg[row]) == (alert.ra, alert.dec)
    assert bool(curves.is_solar_system[row]) == alert.solar
    assert curves.reliability[row] == pytest.approx(alert.reliability, nan_ok=True, rel=1e-6)
    span = slice(curves.offsets[row], curves.offsets[row + 1])
    points = sorted((time, BANDS.index(band), *values) for (time, band), values in alert.points.items())
    expected = np.array(points).reshape(-1, 5)
    assert curves.time_mjd[span] == pytest.approx(expected[:, 0], abs=1e-9)
    assert curves.band[span].tolist() == expected[:, 1].tolist()
    assert curves.flux_njy[span] == pytest.approx(expected[:, 2], rel=1e-9)
    assert curves.flux_err_njy[span] == pytest.approx(expected[:, 3], rel=1e-9)
    assert curves.is_detection[span].tolist() == expected[:, 4].astype(bool).tolist()


def test_every_alert_is_what_its_packet_says(batch) -> None:
    messages, expected = batch
    curves, _ = packets.read(messages)
    wanted = [(index, alert) for index, alert in expected if in_range(alert)]
    assert curves.packet_index.tolist() == [index for index, _ in wanted]
    for row, (_, alert) in enumerate(wanted):
        check(curves, row, alert)


def test_every_alert_is_read_or_a_dead_letter(batch) -> None:
    messages, expected = batch
    curves, dead = packets.read(messages)
    assert len(curves) + len(dead) == len(expected)
    assert sorted([*curves.packet_index.tolist(), *(letter.packet_index for letter in dead)]) == [
        index for index, _ in expected
    ]
    assert all(letter.stage == "light curve" and "found" in letter.reason for letter in dead)


def test_the_company_does_not_matter(batch) -> None:
    messages, _ = batch
    alone = LightCurves.concatenate([packets.read([message])[0] for message in messages[:20]])
    together, _ = packets.read([*messages[:20], b"\0garbage", *messages[:3]])
    together = together.select(np.arange(len(alone)))
    for name in ("offsets", "time_mjd", "flux_njy", "flux_err_njy", "band", "is_detection", "alert_id", "schema_id"):
        assert np.array_equal(getattr(alone, name), getattr(together, name))


def test_a_message_cut_anywhere_is_one_dead_letter(batch) -> None:
    messages, _ = batch
    message = max(messages[:10], key=len)
    for length in np.linspace(1, len(message) - 1, 40).astype(int).tolist():
        curves, dead = packets.read([message[:length]])
        assert len(curves) == 0
        assert [letter.stage for letter in dead] == ["decode"]
        assert len(dead[0].reason) > 20


def test_bytes_after_the_end_are_refused(batch) -> None:
    messages, _ = batch
    curves, dead = packets.read([messages[0] + b"\0\1\2"])
    assert len(curves) == 0
    assert len(dead) == 1


def test_damage_never_raises_and_stays_alone(batch) -> None:
    messages, _ = batch
    good = next(message for message in messages if len(packets.read([message])[0]) > 0)
    whole = packets.read([good])[0]
    random = np.random.default_rng(7)
    damaged = []
    for _ in range(60):
        bad = bytearray(good)
        for at in random.integers(0, min(len(bad), 3000), 3):
            bad[at] = random.integers(0, 256)
        damaged.append(bytes(bad))
    mixed = [message for bad in damaged for message in (bad, good)]
    curves, _ = packets.read(mixed)
    ours = curves.select(curves.packet_index % 2 == 1)
    assert len(ours) == 60 * len(whole)
    assert np.array_equal(ours.flux_njy, np.tile(whole.flux_njy, 60))


def test_corrupt_files_are_dead_letters_that_say_where(shared_data: Path) -> None:
    files = sorted((shared_data / "ztf" / "corrupt").glob("*.avro"))
    good = next(iter(messages_of(shared_data, "ztf")))
    messages = [message for file in files for message in (file.read_bytes(), good)]
    curves, dead = packets.read(messages)
    assert files
    assert curves.packet_index.tolist() == list(range(1, 2 * len(files), 2))
    assert [letter.packet_index for letter in dead] == list(range(0, 2 * len(files), 2))
    assert all("damaged" in letter.reason and "byte 66," in letter.reason for letter in dead)


def test_surveys_and_versions_mix_in_one_batch(shared_data: Path) -> None:
    kinds = ("ztf", "rubin-wire", "elasticc", "rubin")
    columns = [messages_of(shared_data, kind)[:3] for kind in kinds]
    messages = [message for row in zip(*columns, strict=True) for message in row]
    expected = [(index, alert) for index, message in enumerate(messages) for alert in decoded(message)]
    curves, dead = packets.read(messages)
    assert dead == []
    assert curves.packet_index.tolist() == [index for index, _ in expected]
    for row, (_, alert) in enumerate(expected):
        check(curves, row, alert)


def test_a_table_of_packets_gives_what_it_holds(shared_data: Path) -> None:
    files = [next((shared_data / "rubin").glob("*.parquet"))]
    files += sorted((shared_data / "rubin" / "cosmos-2026-03-10").glob("*120932350*"))
    columns = ["diaSource", "prvDiaSources", "prvDiaForcedSources", "diaObject", "ssSource"]
    rows = [row for file in files for row in pq.read_table(file, columns=columns).to_pylist()]
    messages, origins = packets.read_files(files)
    assert len(messages) == len(origins) == len(rows) > 6
    assert set(origins) == set(files)
    curves, dead = packets.read(messages)
    assert dead == []
    for row, record in enumerate(rows):
        check(curves, row, from_rubin(record, 1000))
    assert curves.n_points.max() > 1000


def test_one_visit_is_one_time_in_one_band(shared_data: Path) -> None:
    """Which is why points are told apart by time and band, and no visit's number is kept."""
    visits: list[tuple] = []
    for message in messages_of(shared_data, "rubin") + messages_of(shared_data, "rubin-wire"):
        for record in records_of(message):
            source = record["diaSource"]
            if "visit" in source:
                items = [source, *(record["prvDiaSources"] or []), *(record["prvDiaForcedSources"] or [])]
                visits += [(item["visit"], item["midpointMjdTai"], item["band"]) for item in items]
    assert len(visits) > 400
    of_visit = {visit: (time, band) for visit, time, band in visits}
    of_time = {(time, band): visit for visit, time, band in visits}
    assert all(of_visit[visit] == (time, band) for visit, time, band in visits)
    assert all(of_time[time, band] == visit for visit, time, band in visits)


def test_one_exposure_is_one_time_in_one_band(shared_data: Path) -> None:
    pairs = 0
    for message in messages_of(shared_data, "ztf"):
        for record in records_of(message):
            sources = {item["pid"]: item for item in record["prv_candidates"] or []}
            for item in record.get("fp_hists") or []:
                if item["pid"] in sources:
                    same = sources[item["pid"]]
                    assert (same["jd"], same["fid"]) == (item["jd"], item["fid"])
                    pairs += 1
    assert pairs > 20


def test_every_installed_schema_is_read() -> None:
    assert set(known_ids()) >= {300, 400, 500, 600, 601, 700, 701, 702, 703, 704, 800, 900, 1000, 1100, 1101}
    read = 0
    for schema_id in known_ids():
        schema = rubin_schema(schema_id)
        record = filled(schema)
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, schema, record)
        message = b"\0" + struct.pack(">I", schema_id) + buffer.getvalue()
        curves, dead = packets.read([message])
        assert dead == [], schema_id
        check(curves, 0, from_rubin(record, schema_id))
        read += int(curves.n_points[0] == 3)
    assert read == len(known_ids())


def filled(schema: dict) -> dict:
    """An alert with two earlier measurements, every required field filled."""
    records = {item["name"]: item for item in schema["__named_schemas"].values() if "fields" in item}

    def fill(kind, name: str):
        if isinstance(kind, list):
            return None if name not in CHOSEN else fill(kind[1], name)
        if isinstance(kind, dict) and kind.get("type") == "array":
            return [fill(kind["items"], name)] if name in ("prvDiaSources", "prvDiaForcedSources") else []
        if isinstance(kind, str) and kind in records:
            kind = records[kind]
        if isinstance(kind, dict) and kind.get("type") == "record":
            record = {field["name"]: fill(field["type"], field["name"]) for field in kind["fields"]}
            shift = {"prvDiaSources": 1.0, "prvDiaForcedSources": 2.0}.get(name, 0.0)
            for key in ("midpointMjdTai", "midPointTai"):
                if key in record:
                    record[key] -= shift
            return record
        kind = kind["type"] if isinstance(kind, dict) else kind
        return CHOSEN.get(name, {"string": "", "bytes": b"", "boolean": False}.get(kind, 0))

    return fill(schema, "")


CHOSEN = {
    "diaSourceId": 2**60 + 7, "diaObjectId": 2**61 + 9, "midpointMjdTai": 60500.25, "midPointTai": 60500.25, "ra": 12.5,
    "dec": -7.25, "decl": -7.25, "psfFlux": -321.5, "psFlux": -321.5, "psfFluxErr": 12.25, "psFluxErr": 12.25,
    "band": "z", "filterName": "z", "reliability": 0.5, "diaSource": None, "prvDiaSources": None, "diaObject": None,
    "prvDiaForcedSources": None,
}  # fmt: skip
