"""From the candidates to a night's requests, published."""

from __future__ import annotations

from collections.abc import Sequence

from active_learning import labels, requests
from active_learning.exposure import Spectrograph
from active_learning.logs import Log
from active_learning.planner import Candidate, NightPlan, plan


def plan_night(
    candidates: Sequence[Candidate],
    request_log: Log,
    label_log: Log,
    *,
    budget_hours: float,
    random_fraction: float,
    seed: int,
    night: int,
    now_ms: int,
    telescope: Spectrograph | None = None,
    publish: bool = True,
) -> NightPlan:
    """Plan a night (MJD of its evening) and publish its requests; what is open or labelled is not asked again.

    Arguments as for :func:`active_learning.planner.plan`. Raises NotSaved where a request was not stored, and OSError
    where a log cannot be read.
    """
    answered = labels.answers(stored.record for stored in label_log.read())
    still_open = requests.unanswered((stored.record for stored in request_log.read()), answered)
    planned = plan(
        candidates,
        budget_hours=budget_hours,
        random_fraction=random_fraction,
        seed=seed,
        night=night,
        created_ms=now_ms,
        excluded=requests.not_to_ask(still_open, answered),
        label_counts=labels.counts_by_class(answered),
        telescope=telescope,
    )
    if publish:
        request_log.append(planned.requests)
    return planned
