"""Everything that is compiled, run once: by ``gueststar warm``, and by the process that workers are forked from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemas.light_curves import LightCurves

# Every process that Spark plans with is near this module: what takes time to import, only its functions import.


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


def packets() -> LightCurves:
    """The readers of packets."""
    from schemas import packets

    return packets.read(packets.write(tiny_light_curve()))[0]


def features() -> None:
    """The Gaussian process, cold and warm-started, its predictions, and every block of features."""
    import numpy as np

    from features import extract, gaussian_process

    curves = packets()
    extract(curves, start=np.array([[1_000.0, 20.0]]))
    fits = gaussian_process.fit(curves, backend="dense")
    fits.predict(curves.alert_mjd[:, None])


def trees() -> None:
    """The walk through boosted trees."""
    import numpy as np

    from models.classifier import Classifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    Classifier.fit(x, np.where(x[:, 0] > 0, 2222, 2224), np.ones(60), seed=1, max_iterations=2).raw_scores(x)


def rows() -> None:
    """The encoder of published messages."""
    from broker import row_delivery

    row_delivery.warm()


PARTS = (packets, features, trees, rows)
