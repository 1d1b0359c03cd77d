"""How the cost grows: with the points of an alert, the size of a micro-batch, the cores and the partitions."""

from __future__ import annotations

from typing import Any

from broker.bench import alerts, kafka, model, stream_home
from broker.bench.contest import Contestant, Progress, side_by_side
from broker.bench.pipeline import in_messages
from broker.records.build import RowContext
from broker.settings import Settings
from broker.stream.scoring import MessageScorer
from schemas import packets

POINTS = (10, 30, 100, 300, 1_000, 3_000)
POINTS_AT_A_TIME = 20_000
BATCH_SIZES = (1_000, 2_000, 4_000, 10_000, 20_000)
BATCH_SIZE = 10_000
MASTERS = ("local[1]", "local[2]", "local-cluster[2,1,1536]")
PARTITIONS = (1, 4, 16)
ROUNDS = 3


def measure(settings: Settings, progress: Progress) -> dict[str, dict[str, Any]]:
    """CPU time by points (µs an alert), and the whole job's rate (1/s) by size of a batch, by master, by partitions."""
    figures: dict[str, dict[str, Any]] = {"us_by_points": by_points(settings, progress)}
    with stream_home.stream_home(settings, progress) as bench_settings:
        made = stream_home.messages(progress)

        def rate(size: int, partitions: int = 4, **more: Any) -> float:
            n = size * (kafka.WARM_UP_BATCHES + kafka.MEASURED_BATCHES)
            fresh = stream_home.new_input(bench_settings, size, partitions=partitions, **more)
            stream_home.send(fresh, made, n, progress)
            return kafka.work_off(fresh, size, n, progress).rate

        figures["rate_by_batch"] = {str(size): rate(size) for size in BATCH_SIZES}
        figures["rate_by_master"] = {master: rate(BATCH_SIZE, spark_master=master) for master in MASTERS}
        figures["rate_by_partitions"] = {str(count): rate(BATCH_SIZE, count) for count in PARTITIONS}
    return figures


def by_points(settings: Settings, progress: Progress) -> dict[str, float]:
    """CPU time of an alert from bytes to the published row, µs, by the number of its points."""
    scorer = model.scorer(settings, progress)
    ours = MessageScorer(scorer, RowContext(scorer.sha256, "bench", packets.SIZE_LIMIT_BYTES))
    contestants = []
    for points in POINTS:
        n = max(POINTS_AT_A_TIME // points, 5)
        detections = max(points // 4, 1)
        messages = in_messages(packets.write(alerts.made_up(n, detections, points - detections)))
        contestants.append(Contestant(str(points), lambda messages=messages: ours.rows(messages), n))  # type: ignore[misc]
    return {name: timing.median_us for name, timing in side_by_side(contestants, progress, ROUNDS).items()}
