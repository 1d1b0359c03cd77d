"""``gueststar filters``: what it keeps, what it refuses, and what it tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.commands.filters import filters
from broker.filters import FilterError, refusals
from broker.filters.store import RefusedFilter
from broker.settings import Settings
from tests.filter_faults import faults


def answer(home: Path, *arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(filters, [*arguments, "--json", "--home", str(home)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_filter_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    kept = {"name": "odd", "expression": "is_strange", "topic": "gueststar.filter.odd"}
    assert answer(tmp_path, "add", "odd", "is_strange") == kept | {"new": True}
    assert answer(tmp_path, "list") == {"filters": [kept | {"refused": None}]}
    shown = CliRunner().invoke(filters, ["list", "--home", str(tmp_path)])
    assert shown.stdout == "gueststar.filter.odd\tis_strange\n"
    assert answer(tmp_path, "remove", "odd") == {"name": "odd", "removed": True}
    assert answer(tmp_path, "list") == {"filters": []}


def test_refused_filters_are_listed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "filters.toml").write_text(
        '[filters]\ngood = "is_strange"\nbad = "no_column > 3"\ndeep = "TRUE"\nx = \n'
    )
    refusals.keep(Settings(home=tmp_path), [RefusedFilter("deep", "TRUE", "Spark can't run it: too deep")])
    listed = answer(tmp_path, "list")["filters"]
    assert isinstance(listed, list)
    refused = {row["name"]: row["refused"] for row in listed}
    assert refused["good"] is None
    assert "no column 'no_column'" in refused["bad"]
    assert refused["deep"] == "Spark can't run it: too deep"
    assert "line 5 is not TOML" in refused[""]
    lines = CliRunner().invoke(filters, ["list", "--home", str(tmp_path)]).stdout.splitlines()
    assert len(lines) == 4
    assert sum("\trefused: " in line for line in lines) == 3


def test_filters_that_stopped_a_job_are_refused_or_kept_and_listed(tmp_path: Path) -> None:
    for name, expression in faults().items():
        if name == "sum":
            with pytest.raises(FilterError, match="too deep for Spark"):
                answer(tmp_path, "add", name, expression)
        else:
            assert answer(tmp_path, "add", name, expression)["new"] is True
    listed = answer(tmp_path, "list")["filters"]
    assert isinstance(listed, list)
    assert [(row["name"], row["expression"], row["refused"]) for row in listed] == [
        (name, expression, None) for name, expression in faults().items() if name != "sum"
    ]


def test_check_refuses_before_spark_starts(tmp_path: Path) -> None:
    with pytest.raises(FilterError, match="no column 'x'"):
        answer(tmp_path, "check", "mine", "--expression", "x > 1")
    with pytest.raises(LookupError, match="no filter 'mine'"):
        answer(tmp_path, "check", "mine")
