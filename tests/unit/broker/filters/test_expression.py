"""The language of filters: what is one and what is not, and how filters are kept."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from broker import filters
from broker.commands.filters import filters as command
from broker.filters.expression import DERIVED, FilterError, columns, render
from broker.records.fields import ALERT_FIELDS
from broker.settings import Settings

GOOD = [
    "is_novel",
    "NOT is_novel AND n_points >= 3",
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
    "is_novel AND band": "expected true or false, found text",
    "band > 3": "expected text, found a number",
    "payload IS NULL": "no column 'payload'",
    "p['supernova'] > 1": "no class 'supernova' in the taxonomy",
    "p > 1": "expected '['",
    "p_survey > 1": "no order",
    "exists(select 1)": "no column 'select'",
    "is_novel; drop table x": "cannot read '; drop",
    "is_novel -- comment": "no column 'comment'",
    "java_method('java.lang.System', 'exit') = 1": "no function 'java_method'",
    "raise_error('x') = 1": "no function 'raise_error'",
    "sqrt(1, 2) > 1": "sqrt takes 1 numbers, found 2",
    "n_points > 1e999": "too large",
    "band LIKE band": "expected text in single quotes",
    "band = 'back\\slash'": "cannot read",
    "(" * 60 + "is_novel" + ")" * 60: "deep at most",
    "is_novel OR " * 600 + "is_novel": "at most 4000 characters",
}


@pytest.mark.parametrize("expression", GOOD)
def test_a_filter(expression: str) -> None:
    assert render(expression)


@pytest.mark.parametrize("expression", BAD)
def test_no_filter(expression: str) -> None:
    with pytest.raises(FilterError) as caught:
        render(expression)
    assert BAD[expression] in str(caught.value)


@given(st.text(max_size=60) | st.text(alphabet="pband()[]'<>=+-*/%., 0123ANDOR", max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    with contextlib.suppress(FilterError):
        assert isinstance(render(text), str)


def test_every_column_of_a_classification_can_be_asked_for() -> None:
    assert set(columns()) == set(ALERT_FIELDS) | set(DERIVED)
    for name in columns():
        assert render(f"{name} IS NULL")


def test_filters_are_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert filters.load(settings) == {}
    assert filters.add(settings, "young", "n_points < 8 and object_name != '\"é\"'")
    assert filters.add(settings, "odd", "is_novel")
    assert not filters.add(settings, "odd", "not is_novel")
    kept = {"young": "n_points < 8 and object_name != '\"é\"'", "odd": "not is_novel"}
    assert filters.load(settings) == kept
    filters.remove(settings, "young")
    assert filters.load(settings) == {"odd": "not is_novel"}
    with pytest.raises(LookupError, match="no filter 'young'; there are: odd"):
        filters.remove(settings, "young")
    assert [file.name for file in tmp_path.iterdir()] == ["filters.toml"]


@pytest.mark.parametrize("name", ["", "Novel", "a b", "a.b", "-a", "ä", "x" * 65, "a/b"])
def test_names_that_no_topic_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(FilterError, match="a filter's name must be"):
        filters.add(Settings(home=tmp_path), name, "is_novel")


def test_a_file_that_was_spoilt_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    filters.file_of(settings).write_text('[filters]\nmine = "no_column > 3"\n')
    with pytest.raises(FilterError, match=r"the filter mine in .*filters\.toml is no filter: no column"):
        filters.load(settings)
    filters.file_of(settings).write_text("[filters\n")
    with pytest.raises(FilterError, match=r"filters\.toml is not TOML"):
        filters.load(settings)


def test_the_command(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    run = CliRunner()
    added = json.loads(run.invoke(command, ["add", "odd", "is_novel", "--json", *home]).stdout)
    assert added == {"name": "odd", "expression": "is_novel", "topic": "gueststar.filter.odd", "new": True}
    listed = json.loads(run.invoke(command, ["list", "--json", *home]).stdout)
    assert listed == {"filters": [{"name": "odd", "expression": "is_novel", "topic": "gueststar.filter.odd"}]}
    assert "is_novel" in run.invoke(command, ["list", *home]).stdout
    assert run.invoke(command, ["remove", "odd", *home]).exit_code == 0
    assert json.loads(run.invoke(command, ["list", "--json", *home]).stdout) == {"filters": []}
