"""Routing, filters and the sink inside a real Spark: the same rows whether Spark does a batch once or twice."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from broker.filters import archive_yield, parse
from broker.kafka import reading, topics
from broker.operate.audit import audit
from broker.records import archive
from broker.settings import Settings
from broker.stream import routing
from broker.stream.sink import GueststarSink
from broker.stream.spark_schema import SPARK_SCHEMA
from schemas import messages
from schemas.taxonomy import NOT_CLASSIFIED
from tests.filter_faults import faults
from tests.streaming.sink_rows import alert_rows, dead_rows
from tests.streaming.spark_sessions import spark_session

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def settings(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        home=tmp_path_factory.mktemp("home"),
        kafka_bootstrap_servers=services.bootstrap_servers(),
        redis_url=services.redis_address(),
        topic_prefix=f"t{uuid.uuid4().hex[:8]}",
        spark_master="local[2]",
        spark_driver_memory_gib=1,
        sample_fraction=0.2,
    )


@pytest.fixture(scope="module")
def spark(settings: Settings) -> Iterator[SparkSession]:
    with spark_session(settings) as made:
        yield made


def frame(spark: SparkSession, *batches: pa.RecordBatch) -> DataFrame:
    return spark.createDataFrame(pa.Table.from_batches(batches), schema=SPARK_SCHEMA)


def test_every_row_is_routed(spark: SparkSession, settings: Settings) -> None:
    class_id = [2222, 2243, NOT_CLASSIFIED, 2200, 999_999, 2222]
    rows = alert_rows(
        6, class_id=class_id, is_strange=[False, True, False, False, False, True], n_points=[1, 2, 3, 4, 5, 6]
    )
    dead = dead_rows([b"x"], first=6)
    kept = {"few": parse("n_points <= 2"), "ia": parse("p['Ia'] > 2")}
    routed = routing.route(frame(spark, rows, dead), settings.model_copy(update={"sample_fraction": 0.0}), kept)
    prefix = settings.topic_prefix
    settings_by_name = {
        row["input_offset"]: [name.removeprefix(f"{prefix}.") for name in row["topics"]] for row in routed.collect()
    }
    assert settings_by_name == {
        0: ["classifications", "class.ia", "filter.few"],
        1: ["classifications", "class.tde", "strange", "filter.few"],
        2: ["classifications", "class.notclassified"],
        3: ["classifications", "class.non-recurring"],
        4: ["classifications", "class.notclassified"],
        5: ["classifications", "class.ia", "strange"],
        6: ["deadletters"],
    }


def test_the_sample_is_drawn_by_object(spark: SparkSession, settings: Settings) -> None:
    n = 12_000
    objects = np.arange(n) // 4 + 10**17
    objects[-4000:] = 0  # Solar System alerts have no object
    rows = alert_rows(n, object_id=objects, is_strange=np.ones(n, bool), class_id=np.full(n, 2222, np.int32))
    routed = routing.route(frame(spark, rows), settings, {}).select("object_id", "alert_id", "topics").toPandas()
    drawn = np.array([topics.sample(settings) in names for names in routed["topics"]])
    of_objects = drawn[routed["object_id"] != 0].reshape(-1, 4)
    assert (of_objects.all(axis=1) == of_objects.any(axis=1)).all(), "all of an object's alerts, or none"
    fraction = of_objects[:, 0].mean()
    assert abs(fraction - 0.2) < 5 * np.sqrt(0.2 * 0.8 / len(of_objects))
    single = drawn[routed["object_id"] == 0].mean()
    assert abs(single - 0.2) < 5 * np.sqrt(0.2 * 0.8 / 4000)


def test_filters_select_what_they_say(spark: SparkSession, settings: Settings) -> None:
    rows = alert_rows(400)
    table = rows.to_pandas()
    p = np.stack(table["p_survey"].to_numpy())
    flux = table["flux_njy"].to_numpy()
    magnitude = 31.4 - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))
    expected = {
        "p['Ia'] > 0.5": p[:, 0] > 0.5,
        "p['SN-like'] > 0.5": p[:, 0] + p[:, 1] > 0.5,
        "p['AGN'] > 0": np.zeros(400, bool),
        "magnitude < 21.5": magnitude < 21.5,
        "object_id % 7 = 3": table["object_id"].to_numpy() % 7 == 3,
        "features[0] > -1e9 OR features[99] > -1e9": np.zeros(400, bool),  # NaN, and beyond the end
        "features[1] > 0.3": np.stack(table["features"].to_numpy())[:, 1] > 0.3,
        "separation_deg(180, -30) < 40": separation_deg(table["ra_deg"], table["dec_deg"], 180, -30) < 40,
        "abs(galactic_latitude_deg) > 40": np.abs(galactic_latitude_deg(table["ra_deg"], table["dec_deg"])) > 40,
        "band IN ('g', 'z') AND NOT is_strange": table["band"].isin(["g", "z"]).to_numpy(),
        "reliability IS NULL": np.arange(400) % 5 == 0,
    }  # fmt: skip
    names = {f"f{i}": expression for i, expression in enumerate(expected)}
    conditions = {name: parse(expression) for name, expression in names.items()}
    routed = routing.route(frame(spark, rows), settings, conditions).select("topics").toPandas()["topics"]
    for name, expression in names.items():
        passed = np.array([topics.of_filter(settings, name) in topics_of_row for topics_of_row in routed])
        np.testing.assert_array_equal(passed, expected[expression], err_msg=expression)


def test_no_filter_can_stop_the_stream(spark: SparkSession, settings: Settings) -> None:
    dangerous = [
        "1 / 0 > 1", "n_points % 0 = 1", "object_id * object_id * object_id > 0", "sqrt(-1 - n_points) > 0",
        "ln(0) > 1", "exp(1000) - exp(1000) > 0", "features[3000000000] > 0", "features[-1] > 0",
        "pow(0, -1) - pow(0, -1) >= 0", "acos(2) > 0", "features[0] + 1 > 0", "p_flat[0] / (n_points - n_points) > 0",
    ]  # fmt: skip
    names = {f"f{i}": parse(expression) for i, expression in enumerate(dangerous)}
    empty = alert_rows(1, first=50, p_survey=[[]], p_flat=[[]], class_ids=[[]], features=[[]])
    routed = routing.route(frame(spark, alert_rows(50), empty), settings, names).collect()
    assert len(routed) == 51
    passed = Counter(name for row in routed for name in row["topics"] if ".filter." in name)
    assert not passed, "what has no value selects nothing"


def test_a_stream_to_its_end_and_again_after_a_crash(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    novel = [i % 10 == 0 for i in range(100)]
    for part in range(3):
        task = f"in-0-{100 * part}"
        rows = pa.Table.from_batches(
            [
                alert_rows(100, first=100 * part, task=task, is_strange=novel, class_id=np.full(100, 2222, np.int32)),
                dead_rows([b"\x00"], first=1000 + part, task=task),
            ]
        )
        pq.write_table(rows, inbox / f"{part}.parquet")
    run_stream(spark, settings, inbox)
    first = {file: file.read_bytes() for file in archive.folder(settings).rglob("*.parquet")}
    assert keys(settings, topics.classifications(settings)) == Counter(dict.fromkeys(range(300), 1))
    (last_commit := max((settings.home / "checkpoint" / "commits").glob("[0-9]*"))).unlink()
    (last_commit.parent / f".{last_commit.name}.crc").unlink(missing_ok=True)
    run_stream(spark, settings, inbox)

    published = keys(settings, topics.classifications(settings))
    assert set(published) == set(range(300))
    assert 0 < sum(n > 1 for n in published.values()) <= 300
    assert set(keys(settings, topics.of_class(settings, 2222))) == set(range(300))
    assert set(keys(settings, topics.strange(settings))) == set(range(0, 300, 10))
    assert set(keys(settings, topics.of_filter(settings, "few"))) == few_points(inbox)
    assert {file: file.read_bytes() for file in archive.folder(settings).rglob("*.parquet")} == first
    assert ds.dataset(archive.folder(settings), partitioning="hive").count_rows() == 300
    batches = [json.loads(file.read_text()) for file in (settings.home / "run" / "batches").glob("*.json")]
    assert sum(batch["alerts_out"] for batch in batches) == 300
    assert sum(batch["dead_letters"] for batch in batches) == 3
    assert sum(batch["inputs"] for batch in batches) == 303
    assert audit(settings).lost == 0


def test_a_filter_is_tried_on_the_archive(spark: SparkSession, settings: Settings) -> None:
    counted = archive_yield.yield_of(spark, settings, parse("n_points <= 30"))
    table = ds.dataset(archive.folder(settings), partitioning="hive").to_table(columns=["n_points"])
    assert counted.of == table.num_rows == 300
    assert counted.matched == int((table.column("n_points").to_numpy() <= 30).sum())
    single = int((table.column("n_points").to_numpy() == 1).sum())
    for name, matched in {"star": 300, "ors": single, "id19": 0}.items():
        assert archive_yield.yield_of(spark, settings, parse(faults()[name])).matched == matched, name
    with pytest.raises(LookupError, match="holds no alert yet"):
        archive_yield.yield_of(spark, settings.model_copy(update={"home": settings.home / "none"}), parse("is_strange"))


def run_stream(spark: SparkSession, settings: Settings, inbox: Path) -> None:
    spark.dataSource.register(GueststarSink)
    rows = spark.readStream.schema(SPARK_SCHEMA).option("maxFilesPerTrigger", 2).parquet(str(inbox))
    routed = routing.route(rows, settings, {"few": parse("n_points <= 30")})
    writer = routed.writeStream.format(GueststarSink.name()).option("home", str(settings.home))
    query = writer.option("checkpointLocation", str(settings.home / "checkpoint")).trigger(availableNow=True).start()
    assert query.awaitTermination(180)


def keys(settings: Settings, topic: str) -> Counter[int]:
    """Input offsets by how many messages of the topic name them."""
    entries = reading.read(settings, topic)
    return Counter(messages.decode(entry.value or b"")[1]["input_offset"] for entry in entries)


def few_points(inbox: Path) -> set[int]:
    table = pq.read_table(inbox)
    few = table.filter(pa.compute.less_equal(table.column("n_points"), 30))
    return set(few.column("input_offset").to_pylist())


def separation_deg(ra_deg: np.ndarray, dec_deg: np.ndarray, ra0: float, dec0: float) -> np.ndarray:
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra_deg, dec_deg, unit="deg").separation(SkyCoord(ra0, dec0, unit="deg")).deg


def galactic_latitude_deg(ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra_deg, dec_deg, unit="deg", frame="icrs").galactic.b.deg
