"""What `gueststar requests` prints."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from broker.commands import requests


def request_of(**fields: Any) -> dict[str, Any]:
    """A request with these fields."""
    position = {"ra_deg": 1.0, "dec_deg": 2.0}
    probabilities = {"class_ids": [2222, 2232], "p_survey": [0.6, 0.4]}
    observation = {"night": 61_000, "exposure_s": 100.0, "magnitude": 20.0, "band": "r", "propensity": 0.5}
    return {"object_name": "x", "reason": "novel", **position, **probabilities, **observation, **fields}


@pytest.mark.parametrize("name", ["[kmh2004] 5", "[/b] x", "[red]x", ":cat:", "[link=file:///x]y"])
def test_a_name_is_no_markup(capsys: pytest.CaptureFixture[str], name: str) -> None:
    requests._show([request_of(object_name=name, reason="[/i]")])
    out = capsys.readouterr().out
    assert name in out
    assert "[/i]" in out


def test_a_name_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    requests._show([request_of(object_name="\x1b[31mred\n\0\u202e")])
    out = capsys.readouterr().out
    assert "\\u001b[31mred\\u000a\\u0000\\u202e" in out
    assert not set("\x1b\0\u202e") & set(out)


def test_a_class_of_a_newer_taxonomy_is_shown_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    requests._show([request_of(class_ids=[9_999], p_survey=[1.0])])
    assert "9999 1.00" in capsys.readouterr().out


@pytest.mark.parametrize("night", ["-1", "0", "49999", "80001", "3000000000", "1" + 30 * "0", "60000.5"])
def test_a_night_is_one_that_can_be_planned(night: str) -> None:
    result = CliRunner().invoke(requests.requests, ["plan", "--night", night])
    assert result.exit_code == 2
    assert "Invalid value for '--night'" in result.output


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_is_one_that_every_generator_takes(seed: str) -> None:
    result = CliRunner().invoke(requests.requests, ["plan", "--seed", seed])
    assert result.exit_code == 2
    assert "0<=x<=4294967295" in result.output
