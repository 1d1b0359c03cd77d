"""Numbers as people say them: times, coordinates, novelty, why an object is asked about."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from active_learning.logs import CutOff

_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_LEAP_MJD_UTC = (53736, 54832, 56109, 57204, 57754)
_LEAP_TAI_S = (32, 33, 34, 35, 36, 37)
"""TAI − UTC before and after the leap seconds of 2006, 2009, 2012, 2015 and 2017 (IERS Bulletin C)."""


MIN_P_VALUE = 1e-12
"""A smaller p-value is none: no calibration rests on so many objects."""


def utc_of(mjd_tai: float) -> str:
    """Date and time in UTC of an MJD on the TAI scale, to the second (2000 and later)."""
    offset_s = _LEAP_TAI_S[bisect_right(_LEAP_MJD_UTC, mjd_tai)]
    return (_MJD_EPOCH + timedelta(days=mjd_tai, seconds=-offset_s)).strftime("%Y-%m-%d %H:%M:%S")


def cut_off_in_words(cut_off: CutOff, saved: str = "label") -> str:
    """That the page is out of date: since when (UTC), and what the reader has to do about it.

    ``saved``: what the page stores.
    """
    since = datetime.fromtimestamp(cut_off.since_ms / 1000, UTC)
    return (
        f"Cut off since {since:%H:%M:%S} UTC: you see what there was then, and no {saved} can be saved. "
        "The page continues by itself."
    )


def sentence(text: str) -> str:
    """A text with a capital at its beginning and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def signed(value: float, decimals: int, *, plus: bool = False) -> str:
    """A number with a true minus sign, as beside other numbers with one; ``plus``: with a plus sign, too."""
    return f"{value:{'+' if plus else ''}.{decimals}f}".replace("-", "−")


def sexagesimal(ra_deg: float, dec_deg: float) -> str:
    """ICRS coordinates as hours and degrees, to 0.1 arcsec; a dash where there are none."""
    if not (math.isfinite(ra_deg) and math.isfinite(dec_deg)):
        return "—"
    tenths = round(abs(dec_deg) * 36_000)
    degrees, rest = divmod(tenths, 36_000)
    hundredths = round(ra_deg / 15 * 360_000) % (24 * 360_000)
    hours, left = divmod(hundredths, 360_000)
    return (
        f"{hours:02d}h{left // 6000:02d}m{left % 6000 / 100:05.2f}s "
        f"{'−' if dec_deg < 0 else '+'}{degrees:02d}°{rest // 600:02d}′{rest % 600 / 10:04.1f}″"
    )


def novelty_in_words(p_value: float) -> str:
    """What a p-value means: how many of the objects that it is a rank among look at least as strange."""
    if not MIN_P_VALUE <= p_value <= 1:
        return "not measured"
    if p_value > 0.2:
        return "like most objects"
    one_in = 1 / p_value
    rounded = round(one_in) if one_in < 10 else round(one_in, -len(str(int(one_in))) + 1)
    strength = "unlike" if p_value <= 0.001 else "unusual for" if p_value <= 0.05 else "a little unusual for"
    return f"{strength} the objects it is compared with: 1 in {int(rounded):,} of them looks as strange"


def reason_in_words(request: Mapping[str, Any], candidates: list[str]) -> str:
    """Why the object is asked about; ``candidates``: the names of its most probable classes."""
    reason = request["reason"]
    if reason == "novel":
        return f"Novel: {novelty_in_words(request['novelty_p_value'])}."
    if reason == "random":
        return (
            f"Drawn at random (probability {request['propensity']:.2g}), whatever it looks like: "
            "such labels measure how good the classes are."
        )
    between = " and ".join(candidates[:2])
    return f"Uncertain{f' between {between}' if between else ''}: its label would teach the model much."


def duration(seconds: float) -> str:
    """An exposure time in minutes or hours."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def outside_links(ra_deg: float, dec_deg: float) -> list[tuple[str, str]]:
    """Names and addresses of pages about this place on the sky, opened only when clicked; none without a place."""
    if not (math.isfinite(ra_deg) and math.isfinite(dec_deg)):
        return []
    place = f"{ra_deg:.6f} {dec_deg:+.6f}"
    coordinates, signed = quote(place), quote(f"{dec_deg:+.6f}")
    return [
        ("SIMBAD", f"https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={coordinates}&Radius=10&Radius.unit=arcsec"),
        (
            "NED",
            f"https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&ra={ra_deg:.6f}d"
            f"&dec={signed}d&radius=0.2",
        ),
        (
            "TNS",
            f"https://www.wis-tns.org/search?ra={ra_deg:.6f}&decl={dec_deg:.6f}&radius=10&coords_unit=arcsec",
        ),
        ("Aladin", f"https://aladin.cds.unistra.fr/AladinLite/?target={coordinates}&fov=0.05"),
        (
            "Legacy Surveys",
            f"https://www.legacysurvey.org/viewer?ra={ra_deg:.6f}&dec={dec_deg:.6f}&zoom=16&layer=ls-dr10",
        ),
    ]
