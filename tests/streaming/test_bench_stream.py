"""The benchmarks of the whole job, on a stream so short that they measure nothing: what they report is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.bench import kafka, latency, model, soak, stream_home
from broker.commands.bench import bench
from broker.settings import Settings


@pytest.fixture(scope="module")
def short(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the benchmarks, which share one Kafka and Redis here: each has its own topics anyway."""
    home = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUESTSTAR_HOME", str(home))
        patch.setattr(model, "bundle_folder", lambda settings, progress: small_bundle)
        patch.setattr(stream_home, "DISTINCT_ALERTS", 120)
        patch.setattr(stream_home.messages, "__defaults__", (120,))
        with stream_home.stream_home(Settings(home=home), lambda what, done, of: None) as bench_settings:
            patch.setattr(stream_home, "stream_home", lambda settings, progress: nullcontext(bench_settings))
            yield home
    assert not list((home / "cache" / "bench").glob("stream-*")), "it leaves nothing"


def run(*arguments: str) -> dict:
    ran = CliRunner().invoke(bench, [*arguments, "--json"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    report: dict = json.loads(ran.stdout)
    assert {"machine", "versions", "targets", "peer"} <= report.keys()
    return report


def test_kafka_tells_rate_ratio_and_cpu_time(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "BATCH_SIZES", (40, 40))
    monkeypatch.setattr(kafka, "WARM_UP_BATCHES", 1)
    monkeypatch.setattr(kafka, "MEASURED_BATCHES", 2)
    monkeypatch.setattr(kafka, "PEER_ALERTS", 12)
    report = run("kafka")
    assert report["ratio"] == pytest.approx(report["rate"] / report["rate_peer"], rel=1e-3)
    assert report["at_40_a_batch"]["alerts"] == 80
    assert min(report[f"cpu_us_{part}"] for part in ("kafka", "jvm", "python")) > 0
    assert report["bytes"] > 40_000


def test_latency_and_soak_follow_every_alert(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "LEAD_IN_S", 1.0)
    monkeypatch.setattr(latency, "RATE_PER_S", 50.0)
    monkeypatch.setattr(latency, "BURST_ALERTS", 150)
    report = run("latency", "--seconds", "2")
    assert (report["steady_alerts"], report["burst_alerts"]) == (100, 150)
    assert 0 < report["p50_s"] <= report["p99_s"] <= report["highest_s"]
    monkeypatch.setattr(soak, "BATCH_LIMIT", 100)
    monkeypatch.setattr(soak, "SAMPLE_S", 0.2)
    report = run("soak", "--alerts", "250")
    assert report["samples"][-1][0] == 250
    assert 50 < report["largest_worker_mib"] < 2_000
