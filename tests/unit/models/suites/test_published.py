"""What was published, judged by later labels: classes that a model did not know count apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.suites import published
from models.suites.moments import WHOLE
from models.suites.published import Label

CLASSES = (2222, 2224, 2243)
OBJECTS, ALERTS = 30, 4


def rows_of(knows_all: np.ndarray) -> pa.Table:
    """Alerts of objects whose classes take turns; those where ``knows_all`` is False are of a model without the last
    class. A model is right with 0.8."""
    owner, number = np.divmod(np.arange(OBJECTS * ALERTS), ALERTS)
    mjd = 60_000.0 + 3.0 * number
    ids = [CLASSES if whole else CLASSES[:2] for whole in knows_all]
    p = [[0.8 if one == CLASSES[i % 3] else 0.2 / (len(k) - 1) for one in k] for i, k in zip(owner, ids, strict=True)]
    p = [(np.array(one) / np.sum(one)).tolist() for one in p]
    n = len(owner)
    return pa.table(
        {
            "object_id": owner + 1, "object_name": [str(one + 1) for one in owner], "alert_id": np.arange(n) + 1,
            "alert_mjd": mjd, "input_time_ms": (mjd * 86_400_000).astype(np.int64), "ra_deg": np.full(n, 10.0),
            "dec_deg": np.full(n, 5.0), "band": ["r"] * n, "flux_njy": np.full(n, 900.0),
            "flux_err_njy": np.full(n, 9.0), "class_ids": [list(one) for one in ids], "p_flat": p, "p_survey": p,
            "class_id": [k[int(np.argmax(one))] for k, one in zip(ids, p, strict=True)],
            "novelty_p_value": np.where(~knows_all & (owner % 3 == 2), 0.005, 0.5), "model_sha256": ["a" * 64] * n,
        }
    )  # fmt: skip


@pytest.mark.parametrize("late", [0, 2, ALERTS])
def test_alerts_of_models_that_did_not_know_the_class_count_apart(late: int) -> None:
    number = np.arange(OBJECTS * ALERTS) % ALERTS
    knows_all = number >= late  # from the alert of that number on a model knows every class
    labels = {i + 1: Label(CLASSES[i % 3]) for i in range(OBJECTS)}
    outcome = published.outcome(rows_of(knows_all), labels, source="here", seed=1, draws=5)
    metrics, (_, said) = outcome.metrics, outcome.trials[0]
    unknown = 1 / 3 if late == ALERTS else 0.0
    assert len(said.at(WHOLE)) == round(OBJECTS * (1 - unknown))
    assert metrics["unknown_class"][0] == pytest.approx(unknown)
    assert metrics["unknown_class_day0"][0] == pytest.approx(late / 2 / 3 if late < 2 else 1 / 3)
    assert metrics["log_loss"][0] < 0.5, "no loss by classes that nobody could give"
    assert metrics["accuracy"][0] == 1.0
    assert metrics["false_alarms_1"][0] == metrics["false_alarms_5"][0] == 0
    assert np.isnan(metrics["recall_at_1"][0]) == (late == 0)
    assert metrics["recall_at_1"][0] == 1 or late == 0
