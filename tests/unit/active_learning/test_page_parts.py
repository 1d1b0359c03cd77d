"""The page's parts without a browser: keys, words, what is drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from active_learning.labels import answers, label_of
from active_learning.logs import CutOff
from active_learning.web import forms, plots, wording
from active_learning.web.choices import ACTION_KEYS, KEYS, groups
from active_learning.web.views import view_of
from schemas.light_curves import LightCurves
from schemas.taxonomy import leaves

RequestOf = Callable[..., dict[str, Any]]


def test_every_class_has_a_key_of_its_own() -> None:
    keys = [*KEYS.values(), *ACTION_KEYS.values()]
    assert len(keys) == len(set(keys))
    assert all(len(key) == 1 and key == key.lower() for key in keys)
    named = {leaf.class_id for leaf in leaves() if leaf.class_id > 2000 and not leaf.name.endswith("Other")}
    assert named <= set(KEYS), "each leaf of the taxonomy can be given"
    assert {choice.class_id for _, choices in groups() for choice in choices} == set(KEYS)


@settings(deadline=None)
@given(st.floats(51_544, 61_300))
def test_utc_is_that_of_astropy(mjd: float) -> None:
    ours = Time(wording.utc_of(mjd).replace(" ", "T"), scale="utc")
    assert abs((ours.tai.mjd - mjd) * 86_400) < 2.0  # cut to the second; a second more while a leap second begins


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        (0.0, 0.0, "00h00m00.00s +00°00′00.0″"),
        (359.99999999, -0.5, "00h00m00.00s −00°30′00.0″"),
        (83.63308, 22.0145, "05h34m31.94s +22°00′52.2″"),
    ],
)
def test_coordinates(ra: float, dec: float, text: str) -> None:
    assert wording.sexagesimal(ra, dec) == text


def test_novelty_in_words() -> None:
    assert wording.novelty_in_words(0.4) == "like most objects"
    assert (
        wording.novelty_in_words(1 / 4321)
        == "unlike the objects it is compared with: 1 in 4,000 of them looks as strange"
    )
    assert wording.novelty_in_words(0.03).startswith("unusual for the objects it is compared with: 1 in 30 ")
    assert wording.novelty_in_words(float("nan")) == "not measured"


@pytest.fixture
def curve() -> LightCurves:
    """A season long ago, a quiet year, and a recent rise in two bands."""
    times = np.concatenate([np.arange(60_000, 60_010), np.arange(60_400, 60_420)]).astype(float)
    flux = np.concatenate([np.full(10, 3000.0), np.linspace(-100, 5000, 20)])
    return LightCurves.from_points(
        alert=np.zeros(30, int),
        columns={
            "time_mjd": times,
            "flux_njy": flux,
            "flux_err_njy": np.full(30, 200.0),
            "band": np.arange(30) % 2 + 1,
            "is_detection": flux > 1000,
        },
        alerts={name: [0] for name in ("object_id", "ra_deg", "dec_deg", "survey", "schema_id", "is_solar_system")}
        | {"alert_id": [5], "alert_mjd": [60_419.0], "reliability": [np.nan]},
    )


def test_what_is_drawn(curve: LightCurves) -> None:
    drawn = plots.figure(curve)
    json.dumps(drawn, allow_nan=False)
    assert [band["band"] for band in drawn["bands"]] == ["g", "r"]
    assert drawn["window_mjd"][0] > 60_390, "the window is the recent activity"
    assert drawn["extent_mjd"][0] < 60_000
    points = drawn["bands"][0]["points"]
    for flux, magnitude, limit in zip(points["flux"], points["magnitude"], points["limit"], strict=True):
        assert (magnitude is None) == (flux < 600) == (limit is not None)
    assert points["limit"][-9] is None or points["limit"][-9] == pytest.approx(31.4 - 2.5 * np.log10(600))
    process = drawn["bands"][0]["process"]
    assert len(process["mjd"]) == len(process["flux"])
    assert (np.diff([process["flux_low"], process["flux"], process["flux_high"]], axis=0) >= 0).all()


def test_a_light_curve_without_points_is_drawn_empty(curve: LightCurves) -> None:
    drawn = plots.figure(curve.before(50_000.0))
    assert drawn["bands"] == []
    assert drawn["n_points"] == 0


def test_the_view_of_a_request(request_of: RequestOf) -> None:
    request = request_of(7, p_survey=[0.2, 0.7, 0.1])
    view = view_of(request)
    assert view.why == "Uncertain between SN Ib/c and SN Ia: its label would teach the model much."
    best = [option.choice.name for _, options in view.options for option in options if option.is_best]
    assert best == ["SN Ib/c"]
    assert all(address.startswith("https://") for _, address in view.links)
    disagreeing = [label_of(request, 2222, "ada", 1), label_of(request, 2243, "grace", 2)]
    view = view_of(request, answers(disagreeing)[7])
    assert view.disagreement == "Labellers disagree: ada says SN Ia, grace says TDE."


def test_an_alert_without_classes_is_shown_all_the_same(request_of: RequestOf) -> None:
    view = view_of(request_of(7, p_survey=[], magnitude=float("nan"), novelty_p_value=float("nan"), reason="random"))
    assert view.row.guess == "not classified"
    assert [value for heading, value, _ in view.facts if heading == "Novelty"] == ["—"]


def test_a_page_that_is_cut_off_says_since_when_why_and_that_it_waits() -> None:
    words = wording.cut_off_in_words(CutOff(1_772_330_405_250, "Kafka does not answer at a:1"))
    assert words.startswith("Cut off since 02:00:05 UTC: ")
    assert "no label can be saved. The page continues by itself" in words
    assert "a:1" not in words, "what is for the operator is said apart"


def test_words_for_numbers_and_sentences() -> None:
    assert wording.signed(-28.36801, 5, plus=True) == "−28.36801"
    assert wording.signed(28.36801, 1, plus=True) == "+28.4"
    assert wording.signed(-0.5, 2) == "−0.50"
    assert wording.sentence("no Kafka runs in /a: run `gueststar up`") == "No Kafka runs in /a: run `gueststar up`."


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, 1e-320, 1e300])
@pytest.mark.parametrize("field", ["magnitude", "exposure_s", "ra_deg", "dec_deg", "novelty_p_value", "propensity"])
def test_a_request_with_any_number_is_shown(request_of: RequestOf, field: str, value: float) -> None:
    for reason in ("novel", "random", "uncertain"):
        view = view_of(request_of(7, reason=reason, **{field: value}))
        assert not [fact for fact in view.facts if "nan" in fact[1] + fact[2]]
        if not math.isfinite(value) and field.endswith("_deg"):
            assert view.links == []


def test_a_probability_that_is_none_is_left_out(request_of: RequestOf) -> None:
    view = view_of(request_of(7, p_survey=[math.nan, 0.7, 0.1]))
    assert not [option for _, options in view.options for option in options if "nan" in option.percent]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" Ada\0 \n\t Lovelace ", "Ada Lovelace"),
        ("\0\n\u202e\ufffd", ""),
        ("\x1b[31mä\u200b🌟", "[31mä🌟"),
        ("x" * 99, "x" * 80),
    ],
)
def test_a_labeller_s_name_is_one_line_that_can_be_shown(text: str, name: str) -> None:
    assert forms.labeller_name(text) == name
    assert forms.labeller_name(name) == name


def test_a_comment_keeps_its_lines_and_loses_what_cannot_be_shown() -> None:
    assert forms.comment_of({"comment": "a\r\nb\0\x1b[0m\u202e c "}) == "a\nb[0m c"
    assert forms.comment_of({}) == ""


@pytest.mark.parametrize("text", ["", "abc", "1e3", "-1", "9" * 5_000, "\0", "２２２２", "2222 ", "²"])
def test_a_class_that_is_no_number_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^class_id must be the number of a class, found .{1,60}$"):
        forms.class_id_of({"class_id": text})
    assert forms.class_id_of({"class_id": "2222"}) == 2222
