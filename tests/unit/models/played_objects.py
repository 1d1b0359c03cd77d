"""Made-up objects of a stream: probabilities are too sure, novelty scores lie higher than in training."""

from __future__ import annotations

import numpy as np

from models.datasets.labelled import Labelled
from models.scoring.calibration import with_prior
from models.scoring.classifier import softmax
from models.scoring.scorer import Scorer
from models.suites.played import Played
from schemas.light_curves import LightCurves


def made_up(scorer: Scorer, n: int, seed: int) -> Played:
    """``n`` objects of three classes with one alert each."""
    rng = np.random.default_rng(seed)
    k = len(scorer.class_ids)
    label = rng.choice(3, n, p=[0.6, 0.25, 0.15])
    logits = rng.normal(0, 1, (n, k))
    logits[np.arange(n), label] += 1.5
    logits[:, 3:] -= 4.0
    p_flat = softmax(3.0 * logits)
    every = np.arange(n)
    points = {
        "time_mjd": 60000.0 + every, "flux_njy": np.full(n, 1e3), "flux_err_njy": np.full(n, 10.0),
        "band": np.ones(n, int), "is_detection": np.ones(n, bool),
    }  # fmt: skip
    alerts = {
        "alert_id": every + 1, "object_id": every + 1, "alert_mjd": 60000.0 + every, "ra_deg": np.zeros(n),
        "dec_deg": np.zeros(n),
    }  # fmt: skip
    curves = LightCurves.from_points(alert=every, columns=points, alerts=alerts)
    class_id = scorer.class_ids[label].astype(np.int64)
    width = 2 * k + 20 + 25
    vectors = rng.normal(size=(n, width)).astype(np.float32)
    vectors[every, label] += 4.0
    p_model = with_prior(p_flat, scorer.prior)
    return Played(
        labelled=Labelled(curves, class_id, "made up", "0" * 64),
        object_row=every,
        turn=every,
        is_last=np.ones(n, bool),
        class_id=class_id,
        label=label,
        survey=curves.survey,
        detections=np.full(n, 8),
        p_published=p_model,
        p_model=p_model,
        x=np.concatenate([logits, rng.normal(size=(n, 4))], axis=1),
        novelty=rng.normal(2.0, 1.0, n),
        p_value=np.clip(rng.random(n) ** 4, 1e-3, 1.0),
        vectors=vectors,
    )
