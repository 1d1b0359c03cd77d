"""What real packets tell of their surroundings, against fastavro's reading of them and definitions written out here."""

from __future__ import annotations

import io
import math
import struct
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import fastavro
import numpy as np
import pytest
from astropy.time import Time

from schemas import packets
from schemas.light_curves import IMAGE_FLAGS, LightCurves
from schemas.lsst import known_ids
from tests.contracts.test_packet_readers import filled, messages_of, records_of, rubin_schema

NAMES = (
    "processed_mjd", "host_separation_arcsec", "host2_separation_arcsec", "host_radius_arcsec", "host_ellipticity",
    "host_photoz", "host_photoz_err", "star_score", "extendedness", "template_flux_njy",
    "solar_system_separation_arcsec",
)  # fmt: skip


def number(value: float | None, lowest: float = 0.0, highest: float = math.inf) -> float:
    return math.nan if value is None or not lowest <= value <= highest else value


def of_survey_telescope(record: dict) -> dict[str, float]:
    source, thing, moving = record["diaSource"], record["diaObject"] or {}, record.get("ssSource") or {}
    template = source.get("templateFlux")
    return {
        "processed_mjd": number(source.get("timeProcessedMjdTai"), 50_000, 80_000),
        "host_separation_arcsec": number(thing.get("nearbyObj1Dist")),
        "host2_separation_arcsec": number(thing.get("nearbyObj2Dist")),
        "extendedness": number(source.get("extendedness"), 0, 1),
        "template_flux_njy": math.nan if template is None else template,
        "solar_system_separation_arcsec": number(moving.get("ephOffset")),
    }


def of_simulation(record: dict) -> dict[str, float]:
    thing = record["diaObject"]
    radius = number(thing["hostgal_sqradius"], 1e-9)
    return {
        "host_separation_arcsec": number(thing["hostgal_snsep"]),
        "host2_separation_arcsec": number(thing["hostgal2_snsep"]),
        "host_radius_arcsec": radius,
        "host_ellipticity": math.nan if math.isnan(radius) else number(thing["hostgal_ellipticity"], 0, 1),
        "host_photoz": number(thing.get("hostgal_zphot")),
        "host_photoz_err": number(thing.get("hostgal_zphot_err")),
    }


def of_candidate(record: dict) -> dict[str, float]:
    candidate = record["candidate"]
    nearest = number(candidate.get("distpsnr1"))
    in_template = 0 <= candidate["distnr"] * 1.012 <= 1.4
    return {
        "host_separation_arcsec": nearest,
        "host2_separation_arcsec": number(candidate.get("distpsnr2")),
        "star_score": math.nan if math.isnan(nearest) else number(candidate.get("sgscore1"), 0, 1),
        "extendedness": 1 - number(candidate["classtar"], 0, 1),
        "template_flux_njy": 10 ** ((31.4 - candidate["magnr"]) / 2.5) if in_template else math.nan,
        "solar_system_separation_arcsec": number(candidate["ssdistnr"]),
    }


def check(curves: LightCurves, row: int, expected: dict[str, float]) -> None:
    for name in NAMES:
        wanted = expected.get(name, math.nan)
        assert getattr(curves, name)[row] == pytest.approx(wanted, rel=1e-6, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize(
    ("kind", "of_record", "fields_present"),
    [
        ("rubin", of_survey_telescope, {"processed_mjd", "extendedness", "template_flux_njy"}),
        ("rubin-wire", of_survey_telescope, {"extendedness"}),
        ("elasticc", of_simulation, {"host_separation_arcsec", "host2_separation_arcsec"}),
        ("ztf", of_candidate, {"host_separation_arcsec", "star_score", "template_flux_njy", "extendedness"}),
    ],
)
def test_real_packets(
    shared_data: Path, kind: str, of_record: Callable[[dict], dict[str, float]], fields_present: set[str]
) -> None:
    messages = messages_of(shared_data, kind)
    records = [(index, record) for index, message in enumerate(messages) for record in records_of(message)]
    curves, dead = packets.read(messages)
    refused = {letter.packet_index for letter in dead}
    records = [(index, record) for index, record in records if index not in refused]
    assert curves.packet_index.tolist() == [index for index, _ in records]
    for row, (_, record) in enumerate(records):
        check(curves, row, of_record(record))
    assert {name for name in NAMES if np.isfinite(getattr(curves, name)).any()} >= fields_present


def test_a_spectroscopic_redshift_is_never_read(shared_data: Path) -> None:
    curves, _ = packets.read(messages_of(shared_data, "elasticc"))
    assert np.isnan(curves.host_photoz).all()  # these have hostgal_z, which is as good as spectroscopic


def raised(source: dict) -> int:
    """The bits of a record, from the definitions."""
    fields = (
        "isDipole", "pixelFlags_saturatedCenter", "pixelFlags_edge", "pixelFlags_crCenter", "pixelFlags_streakCenter",
        "glint_trail", "pixelFlags_bad", "pixelFlags_nodataCenter", "psfFlux_flag", "centroid_flag",
        "pixelFlags_injectedCenter",
    )  # fmt: skip
    assert len(fields) == len(IMAGE_FLAGS)
    if all(source.get(name) is None for name in fields):
        return -1
    return sum(bool(source.get(name)) << bit for bit, name in enumerate(fields))


def test_image_flags(shared_data: Path) -> None:
    seen: Counter[int] = Counter()
    for message in messages_of(shared_data, "rubin") + messages_of(shared_data, "rubin-wire"):
        curves, _ = packets.read([message])
        for row, record in enumerate(records_of(message)):
            seen[int(curves.image_flags[row])] += 1
            assert curves.image_flags[row] == raised(record["diaSource"])
    assert seen[1 << IMAGE_FLAGS.index("dipole")] > 0
    assert seen[0] > 0


@pytest.mark.parametrize("schema_id", [schema_id for schema_id in known_ids() if schema_id >= 700])
def test_each_flag_has_its_bit(schema_id: int) -> None:
    schema = rubin_schema(schema_id)
    record = filled(schema)
    flags = [
        name for name in record["diaSource"] if name.startswith("pixelFlags_") or name in ("isDipole", "psfFlux_flag")
    ]
    record["diaSource"] |= dict.fromkeys(flags, True)
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, record)
    curves, dead = packets.read([b"\0" + struct.pack(">I", schema_id) + body.getvalue()])
    assert dead == []
    assert curves.image_flags[0] == raised(record["diaSource"]) > 0


def test_the_time_of_processing_of_version_8_is_utc() -> None:
    schema = rubin_schema(800)
    record = filled(schema)
    moment = Time("2025-08-15T23:51:33.464614", scale="utc")
    record["diaSource"]["time_processed"] = moment.to_datetime(timezone=UTC)
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, record)
    curves, _ = packets.read([b"\0" + struct.pack(">I", 800) + body.getvalue()])
    assert curves.processed_mjd[0] == pytest.approx(moment.tai.mjd, abs=1e-9)
