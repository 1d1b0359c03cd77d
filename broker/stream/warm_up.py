"""Everything that is compiled, run once: by ``gueststar warm``, and by the process that workers are forked from."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from schemas import compiled_code

if TYPE_CHECKING:
    from features.blocks import Inputs
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


def process() -> None:
    """The Gaussian process, cold and warm-started, and its predictions."""
    import numpy as np

    from features import gaussian_process
    from features.grid import predict_grid

    curves = tiny_light_curve()
    gaussian_process.fit(curves, start=np.array([[1_000.0, 20.0, 1.0]]))
    fits = gaussian_process.fit(curves)
    predict_grid(fits)
    fits.predict(curves.alert_mjd[:, None])


def _made_inputs() -> Inputs:
    """Numbers in place of a process, so that what is measured from one need not wait until it is compiled."""
    import numpy as np

    from features.blocks import Inputs
    from features.common_series import common_series
    from features.gaussian_process import GaussianProcessFits
    from features.grid import GRID_TIMES, GridFlux

    curves = tiny_light_curve()
    one, converged, of_points = np.ones(1), np.ones(1, np.bool_), np.ones(len(curves.time_mjd))
    fits = GaussianProcessFits(
        curves,
        curves,
        np.nan * of_points,
        "state_space",
        one,
        1e3 * one,
        10 * one,
        -one,
        converged,
        of_points,
        of_points,
    )
    time_mjd = np.linspace(61_000.0, curves.alert_mjd[0], GRID_TIMES)[None]
    mean_njy = np.tile(1e3 * np.sin(time_mjd / 20.0), (1, 6, 1))
    return Inputs(fits, GridFlux(time_mjd, mean_njy, np.ones((1, 6))), common_series(curves))


def shapes() -> None:
    """The fits of parametric shapes, which take as long to compile as all other blocks."""
    _measure(parametric=True)


def blocks() -> None:
    """Every block of features but the parametric one."""
    _measure(parametric=False)


def _measure(parametric: bool) -> None:
    from features.blocks import BLOCKS

    inputs = _made_inputs()
    for block in BLOCKS:
        if (block.name == "parametric") == parametric:
            block.measure(inputs)


def features() -> None:
    """All features as a user has them, and the dense process."""
    import numpy as np

    from features import extract, gaussian_process

    curves = packets()
    extract(curves, start=np.array([[1_000.0, 20.0, 1.0]]))
    fits = gaussian_process.fit(curves, backend="dense")
    fits.predict(curves.alert_mjd[:, None])


def trees() -> None:
    """The walk through boosted trees."""
    import numpy as np

    from models.scoring.classifier import Boosting, Classifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    class_id = np.where(x[:, 0] > 0, 2222, 2224)
    Classifier.fit(x, class_id, np.ones(60), seed=1, boosting=Boosting(max_iterations=2)).raw_scores(x)


def rows() -> None:
    """The encoder of published messages."""
    from broker.stream import output

    output.warm()


PARTS = (process, blocks, shapes, packets, rows, trees)
"""What can be compiled side by side, the longest first."""


def compiled_in_parallel(progress: Callable[[str, int, int], None]) -> None:
    """Compile all parts, on all cores, unless it was done; then run the whole once, so that nothing is left out."""
    if compiled_code.is_complete():
        return
    n = len(PARTS) + 1
    progress("compiling", 0, n)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, finished in enumerate(as_completed([pool.submit(part) for part in PARTS])):
            finished.result()
            progress("compiling", done + 1, n)
    features()
    compiled_code.completed()
    progress("compiling", n, n)
