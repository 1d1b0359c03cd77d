"""Units that a table's file states for its columns."""

from __future__ import annotations

import warnings

AS_NAMED = {
    "d": ("mjd", "day", "days", "d"),
    "deg": ("degree", "degrees", "deg"),
    "nJy": ("njy", "nanojansky"),
    "": ("", "1", "redshift", "none"),
}
"""What people write for the unit that a column has anyway."""


def factor_of(unit: str, wanted: str) -> float | None:
    """What a number in ``unit`` is multiplied by to be in ``wanted``; None where it does not convert."""
    if unit.strip().lower() in AS_NAMED[wanted]:
        return 1.0
    from astropy import units

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that are deprecated, but known
        try:
            stated = units.Unit(unit, parse_strict="raise")
            if not isinstance(stated, units.UnitBase):  # magnitudes and decibels are no multiple of a flux
                return None
            return float(stated.to(units.Unit(wanted)))
        except (ValueError, TypeError, units.UnitsError):
            return None
