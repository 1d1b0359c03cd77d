"""The language of filters: what is one, what is not, and what is written for Spark."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.filters import Condition, FilterError, parse
from broker.filters.columns import columns
from broker.filters.values import MAX_DEPTH, MAX_SQL_LENGTH
from broker.records.fields import ALERT_FIELDS

ID = 1105522281015015001

GOOD = [
    "is_strange",
    "NOT is_strange AND n_points >= 3",
    "novelty_p_value < 0.001 AND novelty_calibration = 'stream' AND n_detections > 2",
    "p['Ia'] > 0.8 AND magnitude < 21",
    "P['sn-like'] > .5 or class_id in (2222, 2224)",
    "band IN ('g', 'r') AND survey LIKE 's%'",
    "abs(galactic_latitude_deg) BETWEEN 10 AND 20",
    "separation_deg(150.1, 2.2) < 1.5",
    "reliability IS NOT NULL AND (flux_njy / flux_err_njy) > 5",
    "-flux_njy % 7 != 2e-3",
    "size(features) > 3 AND features[2] <> 0",
    "object_name = 'it''s' and lower(band) not in ('u')",
    "pow(greatest(ra_deg, dec_deg, 3), 2) <= 10 OR FALSE",
]

BAD = {
    "": "expected a value",
    "n_points": "must be true or false",
    "n_points > ": "expected a value",
    "n_points > 3)": "did not expect",
    "is_strange AND band": "expected true or false, found text",
    "band > 3": "expected text, found a number",
    "payload IS NULL": "no column 'payload'",
    "p['supernova'] > 1": "no class 'supernova' in the taxonomy",
    "p > 1": "expected '['",
    "p_survey > 1": "no order",
    "exists(select 1)": "no column 'select'",
    "is_strange; drop table x": "cannot read '; drop",
    "is_strange -- comment": "expected a number, found true or false",
    "java_method('java.lang.System', 'exit') = 1": "no function 'java_method'",
    "raise_error('x') = 1": "no function 'raise_error'",
    "sqrt(1, 2) > 1": "sqrt takes 1 of a number, found 2",
    "sqrt(band) > 1": "sqrt takes a number, found text",
    "greatest(1) > 1": "greatest takes 2 or more of a number, found 1",
    "features[1.5] > 0": "expected a whole number between",
    "n_points > \u0663": "cannot read",
    "object_name = '\x7f'": "may not hold the character",
    "object_name = '\ud83c'": "may not hold the character",
    "object_name = 651": "put it in single quotes, '651'",
    "n_points = 'x'": "expected a number, found text",
    "alert_id = '00651'": "expected a number, found text",
    "alert_id = 1e18": "a floating-point number would round it",
    "alert_id BETWEEN 5.0 AND 7": "a floating-point number would round it",
    "alert_id IN (5, 5.0)": "a floating-point number would round it",
    "alert_id = ra_deg": "a floating-point number would round it",
    "alert_id / 10 > 5": "a floating-point number would round it",
    "sqrt(object_id + 1) > 5": "a floating-point number would round it",
    "flux_njy > 9223372036854775807": "a floating-point number would round it",
    "alert_id < 9223372036854775808": "too large a whole number",
    "alert_id = '9223372036854775808'": "too large a whole number",
    "alert_id > -9223372036854775809": "too large a whole number",
    "+".join(["1"] * 1990) + " > 5": "too deep for Spark",
    "-".join(["flux_njy"] * 200) + " > 5": "too deep for Spark",
    "separation_deg(1," * 30 + "1" + ")" * 30 + " > 5": "too large for Spark",
    "floor(.5 + " * 20 + "ra_deg" + ")" * 20 + " > 5": "too large for Spark",
    "NOT " * 41 + "is_strange": "deep at most",
    " OR ".join(["p['variable'] > 0.5"] * 100): "too large for Spark",
    "pow(" * 6 + "ra_deg" + ", n_points)" * 6 + " > 1": "deep in each other",
    "n_points > 1e999": "too large",
    "band LIKE band": "expected text in single quotes",
    "band = 'back\\slash'": "cannot read",
    "(" * 60 + "is_strange" + ")" * 60: "deep at most",
    "is_strange OR " * 600 + "is_strange": "at most 4000 characters",
}


@pytest.mark.parametrize("expression", GOOD)
def test_a_filter(expression: str) -> None:
    assert parse(expression).expression == expression


@pytest.mark.parametrize("expression", BAD)
def test_no_filter(expression: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert BAD[expression] in str(caught.value)


@given(st.text(max_size=60) | st.text(alphabet="pband()[]'<>=+-*/%., 0123ANDOR", max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    with contextlib.suppress(FilterError):
        assert isinstance(parse(text), Condition)


def test_every_column_of_a_classification_can_be_asked_for() -> None:
    assert set(columns()) == {*ALERT_FIELDS, "magnitude", "galactic_latitude_deg"}
    for name in columns():
        assert parse(f"{name} IS NULL")


def test_ids_are_whole_numbers_of_64_bits() -> None:
    assert parse(f"alert_id = {ID}").sql == f"(`alert_id` = {ID}L)"
    assert parse(f"alert_id = '{ID}'").sql == f"(`alert_id` = {ID}L)"
    assert parse(f"'{ID}' != object_id").sql == f"({ID}L != `object_id`)"
    assert parse(f"alert_id IN (1, '{ID}')").sql == f"(`alert_id` IN (1L, {ID}L))"
    assert parse(f"alert_id BETWEEN '{ID}' AND {ID} + 1").sql == f"(`alert_id` BETWEEN {ID}L AND try_add({ID}L, 1L))"
    assert parse(f"object_id >= -{2**63}").sql == f"(`object_id` >= -{2**63}L)"
    assert parse("object_name = '651'").sql == "(`object_name` = '651')"


def test_a_fraction_of_the_objects_can_be_taken() -> None:
    assert parse("object_id % 1000 / 1000 < 0.1")


def test_what_an_error_shows_is_one_line_of_a_bounded_length() -> None:
    with pytest.raises(FilterError) as caught:
        parse("n_points > 1\nAND " * 200 + "band > 3")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    for number in ("9" * 3_900, "9" * 3_900 + ".0"):
        with pytest.raises(FilterError, match="too large") as caught:
            parse(f"n_points > {number}")
        assert len(str(caught.value)) < 500


@settings(deadline=None)
@given(st.integers(1, 600), st.sampled_from(["n_points = 1", "p['Ia'] > 0.5", "NOT is_strange", "band LIKE '%a%'"]))
def test_what_is_written_for_spark_is_bounded(n: int, part: str) -> None:
    for sign in (" OR ", " AND "):
        with contextlib.suppress(FilterError):
            sql = parse(sign.join([part] * n)).sql
            assert len(sql) <= MAX_SQL_LENGTH
            assert _depth(sql) <= MAX_DEPTH


def _depth(sql: str) -> int:
    """The most brackets that are open at once."""
    open_now = most = 0
    for character in sql:
        open_now += {"(": 1, ")": -1}.get(character, 0)
        most = max(most, open_now)
    return most
