"""Units that a file states for the columns of its table."""

from __future__ import annotations

import warnings

AS_NAMED = {
    "d": ("mjd", "day", "days", "d"),
    "deg": ("degree", "degrees", "deg"),
    "nJy": ("njy", "nanojansky"),
    "": ("", "1", "redshift", "none"),
}
"""Other spellings of the unit that a column has by definition."""


def factor_of(unit: str, wanted: str) -> float | None:
    """The factor from ``unit`` to ``wanted``; None if the units do not convert."""
    if unit.strip().lower() in AS_NAMED[wanted]:
        return 1.0
    from astropy import units

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings on deprecated but known units
        try:
            stated = units.Unit(unit, parse_strict="raise")
            if not isinstance(stated, units.UnitBase):  # magnitudes and decibels are not proportional to a flux
                return None
            return float(stated.to(units.Unit(wanted)))
        except (ValueError, TypeError, units.UnitsError):
            return None
