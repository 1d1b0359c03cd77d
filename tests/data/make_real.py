"""The small set of real alerts and light curves, from the large folder: ``python -m tests.data.make_real FOLDER``.

Packets lose their images, which no test reads, unless they are named in WHOLE: each is decoded and written again with
the schema it came with. Everything else in them stays as it was; the light curves before and after are compared.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from schemas import lsst, packets
from schemas.light_curves import POINT_COLUMNS

SMALL = Path(__file__).with_name("real")
IMAGES = ("cutoutDifference", "cutoutScience", "cutoutTemplate")
WHOLE = ("rubin-wire/boom-25409136044802067.avro",)
CORRUPT = 1
CONTAINERS = {"ztf/v1_8": 2, "ztf/v3_3": 3, "ztf/v4_01": 3, "ztf/v4_02": 3, "ztf/sn2021rhu": 5, "rubin": 4}
ALERTS_OF_CONTAINER = 3
ALERTS_OF_TABLE = 6
LONG_ALERTS = 1
ELASTICC_EVERY = 20
SPCC_OBJECTS = 121
BTS_OF_COMMON_TYPES = {"SN Ia": 80, "SN II": 61}
BTS_POINTS = 45
"""Of the common types only objects with at most so many points."""


def is_dipole(record: dict[str, Any]) -> bool:
    return bool((record.get("diaSource") or {}).get("isDipole"))


def container_without_images(message: bytes) -> bytes:
    reader = fastavro.reader(io.BytesIO(message))
    schema = json.loads(reader.metadata["avro.schema"])
    short = sorted(reader, key=lambda one: (not is_dipole(one), len(one.get("prvDiaForcedSources") or [])))
    records = [
        record | dict.fromkeys(name for name in IMAGES if name in record) for record in short[:ALERTS_OF_CONTAINER]
    ]
    out = io.BytesIO()
    fastavro.writer(out, schema, records, codec="deflate", sync_marker=bytes(range(16)))
    return out.getvalue()


def wire_without_images(message: bytes) -> bytes:
    schema = fastavro.parse_schema(packets.as_avro(message)[0])
    record: Any = fastavro.schemaless_reader(io.BytesIO(message[lsst.WIRE_HEADER_BYTES :]), schema, None)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record | dict.fromkeys(IMAGES))
    return message[: lsst.WIRE_HEADER_BYTES] + out.getvalue()


def same(before: bytes, after: bytes) -> bool:
    """Whether both messages are read as the same light curves."""
    (one, dead), (two, dead_too) = packets.read(before), packets.read(after)
    names = ("offsets", "alert_id", "object_id", *POINT_COLUMNS)
    return [dead, dead_too] == [[], []] and all(np.array_equal(getattr(one, n), getattr(two, n)) for n in names)


def copy_message(large: Path, file: Path) -> None:
    name = str(file.relative_to(large))
    message = file.read_bytes()
    if name not in WHOLE and len(message) > 10_000:
        small = wire_without_images(message) if message[:1] == b"\0" else container_without_images(message)
        assert name.startswith("rubin/fink") or same(message, small), name
        message = small
    (SMALL / name).parent.mkdir(parents=True, exist_ok=True)
    (SMALL / name).write_bytes(message)


def copy_packets(large: Path) -> None:
    for folder, count in CONTAINERS.items():
        files = [one for one in sorted((large / folder).glob("*.avro")) if "2025-09-06" not in one.name]
        for file in files[:: max(len(files) // count, 1)][:count]:
            copy_message(large, file)
    copy_message(large, next((large / "rubin").glob("fink*.avro")))
    for file in [*sorted((large / "rubin-wire").glob("lsst*")), *sorted((large / "rubin-wire").glob("boom*"))]:
        copy_message(large, file)
    (SMALL / "ztf" / "corrupt").mkdir(exist_ok=True)
    for file in sorted((large / "ztf" / "corrupt").glob("*.avro"))[:CORRUPT]:
        shutil.copy(file, SMALL / "ztf" / "corrupt")
    tables = [*(large / "rubin").glob("*.parquet"), *(large / "rubin").glob("*/*120932350.parquet")]
    for file in tables:
        table = (
            pq.read_table(file)
            .slice(0, LONG_ALERTS if "cosmos" in str(file) else ALERTS_OF_TABLE)
            .drop_columns(list(IMAGES))
        )
        (SMALL / file.relative_to(large)).parent.mkdir(exist_ok=True)
        pq.write_table(table, SMALL / file.relative_to(large), compression="zstd", compression_level=19)


def copy_members(archive: Path, to: Path, every: int) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as source, tarfile.open(to, "w:xz") as out:
        members = [member for member in source if member.isfile()]
        for member in members[::every]:
            out.addfile(member, source.extractfile(member))


def copy_light_curves(large: Path) -> None:
    name, labels_name = "bts_light_curves.csv.gz", "bts_labels.csv"
    points, labels = pd.read_csv(large / "bts" / name, dtype=str), pd.read_csv(large / "bts" / labels_name, dtype=str)
    chosen = labels[labels["ZTFID"].isin(points["ZTFID"])]
    parts = [chosen[~chosen["type"].isin(list(BTS_OF_COMMON_TYPES))]]
    few = chosen[chosen["ZTFID"].map(points.groupby("ZTFID").size()) <= BTS_POINTS]
    parts += [few[few["type"] == one].sample(n, random_state=1) for one, n in BTS_OF_COMMON_TYPES.items()]
    kept = labels[labels["ZTFID"].isin(pd.concat(parts)["ZTFID"])]
    (SMALL / "bts").mkdir(parents=True, exist_ok=True)
    kept.to_csv(SMALL / "bts" / labels_name, index=False)
    some = points[points["ZTFID"].isin(kept["ZTFID"])]
    some.to_csv(SMALL / "bts" / name, index=False, compression={"method": "gzip", "mtime": 0, "compresslevel": 9})


def main() -> None:
    large = Path(sys.argv[1])
    shutil.rmtree(SMALL, ignore_errors=True)
    copy_packets(large)
    elasticc = next((large / "elasticc").glob("*.tar.xz"))
    copy_members(elasticc, SMALL / "elasticc" / elasticc.name, ELASTICC_EVERY)
    unread = shutil.ignore_patterns("*ssObject*", "*lvk*")  # no record of theirs is in an alert
    shutil.copytree(large / "elasticc" / "schema", SMALL / "elasticc" / "schema", ignore=unread)
    (spcc,) = (large / "spcc").iterdir()
    copy_members(spcc, SMALL / "spcc" / spcc.name, 5_182 // SPCC_OBJECTS)
    copy_light_curves(large)
    size = sum(file.stat().st_size for file in SMALL.rglob("*") if file.is_file())
    print(f"{size:,} bytes in {SMALL}")


if __name__ == "__main__":
    main()
