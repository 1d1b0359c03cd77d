"""Truth: what is known of labelled objects that no feature and no score may ever see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_TEMPLATE = -1
OWN_FAMILY = 1 << 32
"""Template numbers from here on belong to one object each; those that simulations count lie far below."""

TRUTH_COLUMNS: dict[str, tuple[type, object]] = {
    "name": (np.str_, ""),
    "other_name": (np.str_, ""),
    "type_name": (np.str_, ""),
    "redshift": (np.float64, np.nan),
    "template": (np.int64, NO_TEMPLATE),
    "spectroscopic": (np.bool_, False),
    "peak_mjd": (np.float64, np.nan),
    "trigger_mjd": (np.float64, np.nan),
    "on_sky": (np.bool_, False),
}
"""Each column's type, and what it is where nothing is known."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of ``n`` objects beside their light curves and classes; all arrays have shape (n,).

    - ``name``: as the data set names the object; ``other_name``: a second name, such as the IAU's; "" unknown.
    - ``type_name``: the type in the data set's own words, finer than the class id, such as IIn; "" unknown.
    - ``redshift``: true (simulations) or spectroscopic; 0 for a star of the Galaxy, NaN unknown.
    - ``template``: the spectral template that a simulation drew the object from, 0 or more; -1 unknown. Objects drawn
      from a model of continuous parameters (SALT2, MLCS2k2) share no template: each has a number of its own, from
      :data:`OWN_FAMILY` on, so that a split by family spreads them over all folds.
    - ``spectroscopic``: the object is in the survey's spectroscopic training sample.
    - ``peak_mjd``: time of largest brightness, MJD TAI (simulations: the model's own time scale); NaN unknown.
    - ``trigger_mjd``: when the survey's own trigger was satisfied, where the format tells it; NaN unknown.
    - ``on_sky``: the position is one on the real sky, so that a neighbour in another such set is the same object.
    """

    name: NDArray[np.str_]
    other_name: NDArray[np.str_]
    type_name: NDArray[np.str_]
    redshift: NDArray[np.float64]
    template: NDArray[np.int64]
    spectroscopic: NDArray[np.bool_]
    peak_mjd: NDArray[np.float64]
    trigger_mjd: NDArray[np.float64]
    on_sky: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in TRUTH_COLUMNS:
            if getattr(self, name).shape != (len(self.name),):
                shape = getattr(self, name).shape
                raise ValueError(f"truth column {name!r} must have shape ({len(self.name)},), found {shape}")

    def __len__(self) -> int:
        return len(self.name)

    @classmethod
    def of(cls, n: int, **given: ArrayLike) -> Truth:
        """The truth of ``n`` objects: columns given by name, all others unknown. ValueError for another length."""
        columns: dict[str, NDArray] = {}
        for name, (kind, unknown) in TRUTH_COLUMNS.items():
            columns[name] = np.asarray(given.pop(name), kind) if name in given else np.full(n, unknown, kind)
        if given:
            raise TypeError(f"truth has the columns {list(TRUTH_COLUMNS)}, found {sorted(given)}")
        if len(columns["name"]) != n:
            raise ValueError(f"truth must have one entry per object ({n}), found {len(columns['name'])}")
        return cls(**columns)

    def select(self, which: ArrayLike) -> Truth:
        """The chosen objects: row numbers or a boolean mask of shape (n,)."""
        index = np.asarray(which)
        index = index if index.size else index.astype(np.int64)
        return Truth(**{name: getattr(self, name)[index] for name in TRUTH_COLUMNS})

    @classmethod
    def concatenate(cls, parts: Sequence[Truth]) -> Truth:
        """The objects of all parts, one after the other."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in TRUTH_COLUMNS})

    def family(self) -> NDArray[np.int64]:
        """A group number for each object, 0 up to the number of groups less 1: those of one template share one, an
        object without a known template is alone. For splits that keep families together."""
        alone = -2 - np.arange(len(self))
        group: NDArray[np.int64] = np.unique(
            np.where(self.template == NO_TEMPLATE, alone, self.template), return_inverse=True
        )[1]
        return group.astype(np.int64)
