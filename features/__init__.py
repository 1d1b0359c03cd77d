"""Light curve → Gaussian process → feature matrix: ``features.extract(light_curves)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.matrix import FeatureMatrix, extract

__all__ = ["FeatureMatrix", "extract"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # loaded at first use: importing the compiled parts takes a second
        from features import matrix

        return getattr(matrix, name)
    raise AttributeError(f"module 'features' has no attribute {name!r}")
