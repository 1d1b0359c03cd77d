"""Pictures of light curves, kept for a while and drawn before they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from active_learning.web import plots
from schemas.light_curves import LightCurves

Record = dict[str, Any]
_FIGURES_KEPT = 64


class CannotDraw(LookupError):
    """The light curve of an object cannot be shown; the message says why."""


class Figures:
    """Figures by a key of the page's choice. Methods may be called from several threads at once."""

    def __init__(self, light_curve_of: Callable[[Mapping[str, Any]], LightCurves]) -> None:
        """``light_curve_of`` reads the light curve (one alert) that a record rests on; it raises OSError, LookupError
        or ValueError where it can't."""
        self._light_curve_of = light_curve_of
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="draws ahead")

    def close(self) -> None:
        """End the thread."""
        self._ahead.shutdown(cancel_futures=True)

    def figure(self, key: str, record_of: Callable[[str], Record]) -> dict[str, Any]:
        """The light curve as plots.figure gives it, of the record that ``record_of(key)`` gives; raises CannotDraw."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        try:
            drawn = plots.figure(self._light_curve_of(record_of(key)))
        except (LookupError, OSError, ValueError) as error:
            raise CannotDraw(str(error)) from error
        with self._lock:
            self._kept[key] = drawn
            while len(self._kept) > _FIGURES_KEPT:
                self._kept.popitem(last=False)
        return drawn

    def draw_ahead(self, keys: list[str], record_of: Callable[[str], Record]) -> None:
        """Prepare figures that will be wanted soon."""
        for key in keys:
            self._ahead.submit(self._quietly, key, record_of)

    def _quietly(self, key: str, record_of: Callable[[str], Record]) -> None:
        """What cannot be drawn says so when it is asked for."""
        try:
            self.figure(key, record_of)
        except CannotDraw:
            return
