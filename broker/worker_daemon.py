"""The process that Spark's Python workers are forked from (``spark.python.daemon.module``): it warms everything once.

A cold worker pays seconds for imports, compiled code and the first score; forked from here it pays nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pyspark.daemon

if TYPE_CHECKING:
    from schemas.light_curves import LightCurves

# Every process that Spark plans with begins here: what takes time to import, only the warm one imports.

log = logging.getLogger(__name__)


def warm() -> None:
    """Import what workers use, load the scorer in production, and score one light curve."""
    import confluent_kafka  # noqa: F401  no client is made here: its threads would not survive the fork
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    from broker import row_delivery
    from broker.scoring import scorer_of
    from broker.settings import Settings
    from broker.spark import WARM_MODEL
    from schemas import packets

    sha256 = os.environ.get(WARM_MODEL)
    if not sha256:
        return
    began = time.monotonic()
    row_delivery.warm()
    wire = packets.write(tiny_light_curve())
    light_curves, _ = packets.read(wire)
    scorer_of(Settings().home / "models", sha256).score(light_curves)
    log.warning("worker daemon warmed the model %s in %.1f s", sha256[:16], time.monotonic() - began)


def tiny_light_curve() -> LightCurves:
    """One alert of a rise and fall in six bands, 24 points: enough to run every part once."""
    import numpy as np

    from schemas.light_curves import LightCurves

    number = np.arange(24)
    time_mjd = 61_000.0 + 2 * number
    flux_njy = 5_000 * np.exp(-(((time_mjd - 61_020) / 15) ** 2))
    alert: dict[str, Any] = {
        "alert_id": [1], "object_id": [1], "alert_mjd": time_mjd[-1:], "ra_deg": [10.0], "dec_deg": [-10.0],
        "survey": [0], "schema_id": [1101], "is_solar_system": [False], "reliability": [0.9],
    }  # fmt: skip
    points: dict[str, Any] = {
        "time_mjd": time_mjd, "flux_njy": flux_njy, "flux_err_njy": np.full(24, 200.0), "band": number % 6,
        "is_detection": flux_njy > 1_000,
    }  # fmt: skip
    return LightCurves.from_points(alert=np.zeros(24, int), columns=points, alerts=alert)


def main() -> None:
    """Warm up where workers that read and write come from (not planning processes), then do as Spark's own daemon."""
    if sys.argv[1:] == ["pyspark.worker"]:
        with contextlib.redirect_stdout(sys.stderr):  # Spark reads the port from standard output
            try:
                warm()
            except Exception:
                log.exception("the worker daemon could not warm up; its workers start cold")
    pyspark.daemon.manager()


if __name__ == "__main__":
    main()
