"""Plan a night of spectroscopy with the home's settings: candidates from Redis, requests to Kafka."""

from __future__ import annotations

from active_learning import night
from active_learning.planner import NightPlan
from broker.kafka.message_log import labels_log, requests_log
from broker.settings import Settings
from broker.state.candidates import all_candidates


def plan_night(settings: Settings, of_night: int, *, seed: int, now_ms: int, publish: bool = True) -> NightPlan:
    """Fill the night ``of_night`` (MJD of its evening) and publish its requests.

    Raises NotSaved and KafkaFailure of Kafka, RedisError of Redis.
    """
    candidates = all_candidates(settings)
    with requests_log(settings) as request_log, labels_log(settings) as label_log:
        return night.plan_night(
            candidates,
            request_log,
            label_log,
            budget_hours=settings.telescope_budget_hours,
            random_fraction=settings.random_fraction,
            seed=seed,
            night=of_night,
            now_ms=now_ms,
            publish=publish,
        )
