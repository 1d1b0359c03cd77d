"""Truth: facts about labelled objects that no feature and no score may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_TEMPLATE = -1
OWN_FAMILY = 1 << 32
"""Template numbers from here on belong to one object each; the numbers in simulations are far below."""

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
"""The type of each column, and its value for unknown."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Facts about ``n`` objects beside their light curves and classes; all arrays have shape (n,).

    - ``name``: the name in the data set; ``other_name``: a second name, such as the IAU's; "" if unknown.
    - ``type_name``: the type as in the data set, finer than the class id, such as IIn; "" if unknown.
    - ``redshift``: true (simulations) or spectroscopic; 0 for a star of the Galaxy, NaN if unknown.
    - ``template``: the spectral template of a simulated object, 0 or more; -1 if unknown. Objects from a model with
      continuous parameters (SALT2, MLCS2k2) share no template: each has a unique number, from :data:`OWN_FAMILY` on, so
      that a split by family spreads them over all folds.
    - ``spectroscopic``: the object is in the survey's spectroscopic training sample.
    - ``peak_mjd``: time of largest brightness, MJD TAI (simulations: the time scale of the model); NaN if unknown.
    - ``trigger_mjd``: when the trigger of the survey was satisfied, if the format gives it; NaN if unknown.
    - ``on_sky``: the position is on the real sky, so a neighbour in another such set is the same object.
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
        """The truth of ``n`` objects: columns by name, all others unknown. Raises ValueError for another length."""
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
        """Join the objects of all parts."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in TRUTH_COLUMNS})

    def family(self) -> NDArray[np.int64]:
        """A group number for each object, from 0 to the number of groups less 1, for splits that keep families
        together. Objects of one template are in the same group; an object without a known template is alone."""
        alone = -2 - np.arange(len(self))
        group: NDArray[np.int64] = np.unique(
            np.where(self.template == NO_TEMPLATE, alone, self.template), return_inverse=True
        )[1]
        return group.astype(np.int64)
