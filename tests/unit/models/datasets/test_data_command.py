"""``gueststar data``: cards, checks, fetching, and tables written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.commands.data import data
from models.datasets import cards, sources
from models.datasets.cards import CARDS
from models.datasets.fetching import located


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUESTSTAR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, [*arguments])


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_card_tells_what_one_must_know(name: str) -> None:
    card = CARDS[name]
    assert card.kind in sources.KINDS
    shown = run("show", name)
    assert shown.exit_code == 0
    for words in (card.title, card.licence, card.source, card.units, *card.traps, *card.columns):
        assert words in shown.stdout
    assert json.loads(run("show", name, "--json").stdout)["name"] == name


def test_an_unknown_set_is_named_with_those_there_are() -> None:
    shown = run("show", "plastic")
    assert shown.exit_code == 1
    assert "no data set 'plastic'; there are plasticc, plasticc-test, spcc, bts" in shown.output


def test_what_is_installed_is_as_published(home: Path) -> None:
    report = json.loads(run("check", "plasticc-test", "--json").stdout)
    assert set(report["files"].values()) == {"as published"}
    assert report["objects"] == {"2222": 2914, "2223": 322, "2224": 1764}
    assert report["other_objects"] == []


def test_a_table_of_ones_own_is_checked(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    head = "object,time_mjd,band,flux_njy,flux_err_njy,class\n"
    file.write_text(f"{head}a,60000,g,500,10,SN II\na,60001,r,500,10,SN II\nb,60001,r,500,10,KN\nb,60001,r,5,1,KN\n")
    shown = run("check", str(file))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.splitlines() == [
        f"your own light curves: 2 objects, 3 points, at {file}", "  II 1, KN 1", "  no fault",
    ]  # fmt: skip
    report = json.loads(run("check", str(file), "--json").stdout)
    assert (report["name"], report["objects"], report["points"]) == (str(file), {"2224": 1, "2232": 1}, 3)
    assert len(report["notes"]) == 1
    file.write_text(f"{head}a,60000,g,1,10,SN II\n")
    assert run("check", str(file)).exit_code == 1
    assert "fault: 1 object has no detection" in run("check", str(file)).stdout
    refused = run("check", "own", "--data", str(file))
    assert "no data set 'own'; there are plasticc" in refused.output
    assert "`gueststar data check PATH` reads your own" in refused.output


def test_a_part_of_a_set_is_told_as_such(home: Path, shared_data: Path) -> None:
    shown = run("check", "bts", "--data", str(shared_data / "bts"))
    assert "bts_labels.csv: no sum known" in shown.stdout
    assert "Ia" in shown.stdout


def test_list_knows_where_the_sets_are(home: Path) -> None:
    report = {one["name"]: one["place"] for one in json.loads(run("list", "--json").stdout)["sets"]}
    assert report["plasticc"] == "plasticc"
    assert report["spcc"] == ""
    (home / "data" / "spcc").mkdir(parents=True)
    (home / "data" / "spcc" / "one.DAT").write_text("")
    lines = run("list").stdout.splitlines()
    assert str(home / "data" / "spcc") in lines[lines.index(next(line for line in lines if "spcc" in line)) + 1]
    assert lines[1].split() == ["installed"]
    assert "`gueststar data fetch bts`" in lines[-1]


def test_fetch_brings_files_and_refuses_others_than_published(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bts_labels.csv").write_text("labels")
    address = (tmp_path / "bts_labels.csv").as_uri()
    (file,) = json.loads(run("fetch", "bts", "--from", address, "--json").stdout)["files"]
    assert Path(file) == home / "data" / "bts" / "bts_labels.csv"
    assert Path(file).read_text() == "labels"

    other = replace(CARDS["bts"], sha256={"bts_labels.csv": "0" * 64})
    monkeypatch.setitem(cards.CARDS, "bts", other)
    Path(file).unlink()
    refused = run("fetch", "bts", "--from", address)
    assert isinstance(refused.exception, ValueError)
    assert "is not the published bts_labels.csv: expected SHA-256 000" in str(refused.exception)
    assert list(Path(file).parent.iterdir()) == []


def test_fetch_says_what_it_needs(home: Path) -> None:
    assert "give the addresses of its files with --from" in run("fetch", "spcc").output
    refused = run("fetch", "spcc", "--from", "ftp://somewhere/x.tar")
    assert "must begin with one of https://, http://, file://" in str(refused.exception)


def test_export_with_its_description(home: Path, tmp_path: Path, shared_data: Path) -> None:
    file = tmp_path / "bts.fits"
    report = json.loads(run("export", str(shared_data / "bts"), str(file), "--description", "--json").stdout)
    again = sources.load(str(file))
    assert report["objects"] == len(again)
    described = json.loads((tmp_path / "bts.fits.json").read_text())
    assert described["data_qualities"]["NumberOfInstances"] == report["points"]


def test_what_was_fetched_is_found_by_its_name(home: Path, tmp_path: Path, shared_data: Path) -> None:
    addresses = [(shared_data / "bts" / name).as_uri() for name in ("bts_labels.csv", "bts_light_curves.csv.gz")]
    run("fetch", "bts", *(word for one in addresses for word in ("--from", one)))
    report = json.loads(run("export", "bts", str(tmp_path / "bts.parquet"), "--json").stdout)
    assert report["objects"] == len(sources.load(str(shared_data / "bts")))
    assert located(home, "bts") == str(home / "data" / "bts")
    assert [located(home, name) for name in ("plasticc", "./bts", "a/bts")] == ["plasticc", "./bts", "a/bts"]
