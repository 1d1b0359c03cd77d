"""The benchmarks measure what they say, of work that gives the same result."""

from __future__ import annotations

import io
import json

import fastavro
import numpy as np
import pytest
from click.testing import CliRunner

from broker.bench import alerts, contest, decode, gp, pipeline
from broker.bench.contest import Contestant, Timing, side_by_side
from broker.bench.report import Report, Target
from broker.commands.bench import bench
from models.scoring.scorer import Scorer
from schemas import packets


def test_each_contestant_runs_once_a_round_and_once_before() -> None:
    turns: list[str] = []
    steps: list[int] = []
    timings = side_by_side(
        [Contestant(name, lambda name=name: turns.append(name), 4) for name in "ab"],  # type: ignore[misc]
        lambda _, done, of: steps.append(done),
        rounds=2,
    )
    assert turns == ["a", "b"] * 3
    assert steps == [1, 2, 3, 4, 5, 6]
    assert timings["a"].items == 4


def test_it_is_cpu_time_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 2.4, 5.0, 5.2, 7.0, 8.0])
    monkeypatch.setattr(contest.time, "process_time", lambda: next(clock))
    timings = side_by_side([Contestant("one", lambda: None, 10)], rounds=3)["one"]
    assert (timings.median_us, timings.low_us, timings.high_us) == pytest.approx((40_000, 20_000, 100_000))
    assert timings.rate == pytest.approx(25)


def test_a_report_says_whether_the_target_is_met() -> None:
    timing = Timing(20.0, 19.0, 22.0, 500, 7)
    report = Report("decode", "fastavro", {"ratio": 79.0}, (Target("ratio", 80.0),), {"ours": timing}, {"points": 140})
    as_json = report.to_json()
    assert as_json["ratio"] == 79.0
    assert as_json["targets"] == [{"figure": "ratio", "target": "≥ 80", "met": False}]
    assert as_json["timings"]["ours"]["rate"] == 50_000
    assert as_json["versions"]["fastavro"] == fastavro.__version__
    text = "\n".join(report.lines())
    assert "ratio: 79  (target ≥ 80: not met)" in text
    assert "20.0 (19.0 to 22.0)" in text
    assert Target("p99_s", at_most=2.0).met(1.9)
    assert not Target("p99_s", at_most=2.0).met(2.1)


def test_the_packets_are_as_heavy_as_real_ones_and_say_the_same() -> None:
    curves = alerts.simulated(300)
    wire = alerts.messages(curves)
    assert 45_000 < np.mean([len(message) for message in wire]) < 70_000
    read, dead = packets.read(wire)
    assert dead == []
    assert np.array_equal(read.alert_id, curves.alert_id)
    assert np.array_equal(read.time_mjd, curves.time_mjd)


def test_the_peers_read_the_same_light_curve() -> None:
    message = alerts.messages(alerts.made_up(1, 4, 6))[0]
    definition, record = packets.as_avro(message)
    schema, narrow = fastavro.parse_schema(definition), fastavro.parse_schema(decode.projection(definition))
    whole = fastavro.schemaless_reader(io.BytesIO(record), schema, None)
    few = fastavro.schemaless_reader(io.BytesIO(record), schema, narrow)
    (curves, _) = packets.read([message])
    for measured in (whole, few):
        points = [measured["diaSource"], *measured["prvDiaSources"], *measured["prvDiaForcedSources"]]
        assert sorted(point["midpointMjdTai"] for point in points) == curves.time_mjd.tolist()
    assert len(few["diaSource"]) < len(whole["diaSource"]) / 5


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, n, peers in ((decode, 20, 4), (gp, 30, 4), (pipeline, 30, 3)):
        monkeypatch.setattr(module, "N_ALERTS", n)
        monkeypatch.setattr(module, "PEER_ALERTS", peers)
    monkeypatch.setattr(pipeline, "ROUNDS", 1)
    monkeypatch.setitem(side_by_side.__kwdefaults__ or {}, "rounds", 1)


def run(name: str) -> dict:
    ran = CliRunner().invoke(bench, [name, "--json"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    report: dict = json.loads(ran.stdout)
    assert {"machine", "versions", "timings", "targets", "peer", "ratio"} <= report.keys()
    return report


@pytest.mark.usefixtures("quick")
def test_decode_and_gp_report_their_ratio_to_a_named_peer() -> None:
    report = run("decode")
    assert "fastavro" in report["peer"]
    assert report["ratio"] == pytest.approx(
        report["timings"]["fastavro"]["median_us"] / report["timings"]["gueststar"]["median_us"], rel=1e-3
    )
    report = run("gp")
    assert "george" in report["peer"]
    assert "celerite2" in report["peer_linear"]
    ours, linear = (report["timings"][name]["median_us"] for name in (gp.OURS, gp.LINEAR_PEER))
    assert report["ratio_linear"] == pytest.approx(linear / ours, rel=1e-3)
    assert report["worse_fits_linear"] == 0.0


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.commands.bench.find_spec", lambda name: None)
    ran = CliRunner().invoke(bench, ["gp"])
    assert ran.exit_code == 1
    assert ran.output.startswith(
        "Error: `gueststar bench gp` compares with the package celerite2, which is not installed"
    )
    assert len(ran.output.splitlines()) == 1


@pytest.mark.usefixtures("quick")
def test_pipeline_reports_a_rate(small_bundle: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from broker.bench import model

    monkeypatch.setattr(model, "scorer", lambda settings, progress: Scorer.load(str(small_bundle)))
    report = run("pipeline")
    assert report["rate"] == pytest.approx(report["timings"]["gueststar"]["rate"], rel=1e-3)
    assert report["ratio"] > 1
