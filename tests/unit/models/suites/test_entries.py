"""Anyone's probabilities: the form, what is scored, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from broker.commands.evaluate import evaluate
from models import evaluation
from models.suites import entries
from models.suites.run import prepare, score_entry
from models.suites.trial import Trial

SUITE = "bts"


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> str:
    return str(shared_data / "bts")


@pytest.fixture(scope="module")
def first(folder: str) -> tuple[np.ndarray, Trial]:
    prepared = prepare(SUITE, folder, 1)
    return prepared.labelled.truth.name, prepared.trials[0]


def entry_of(first: tuple[np.ndarray, Trial], seed: int = 3) -> pd.DataFrame:
    """Probabilities that lean to the truth, for every tested object, whole and at 7 days."""
    names, trial = first
    tested = np.flatnonzero(trial.label >= 0)
    rng = np.random.default_rng(seed)
    parts = []
    for days in ("7", "whole"):
        p = rng.dirichlet(np.ones(len(trial.classes)), len(tested))
        p[np.arange(len(tested)), trial.label[tested]] += 0.6
        columns = dict(zip(trial.classes.names, (p / p.sum(axis=1, keepdims=True)).T, strict=True))
        parts.append(pd.DataFrame({"object": names[tested], "days": days, **columns}))
    return pd.concat(parts, ignore_index=True)


def test_an_entry_is_scored_as_ours(first: tuple[np.ndarray, Trial], folder: str, tmp_path: Path) -> None:
    names, trial = first
    table = entry_of(first)
    table.sample(frac=1, random_state=1).to_csv(tmp_path / "own.csv", index=False)
    ran = CliRunner().invoke(
        evaluate,
        [SUITE, "--data", folder, "--predictions", str(tmp_path / "own.csv"), "--json"],
        catch_exceptions=False,
    )
    report = json.loads(ran.stdout)
    label = dict(zip(names.tolist(), trial.label.tolist(), strict=True))
    for days, figure in (("whole", "macro_f1_5"), ("7", "macro_f1_5_day7")):
        rows = table[table["days"] == days]
        p, y = rows[list(trial.classes.names)].to_numpy(), rows["object"].map(label).to_numpy()
        expected = evaluation.macro_f1(p, y, np.ones(len(y)))
        assert report["metrics"][figure]["value"] == pytest.approx(expected, abs=1e-9)
        assert report["metrics"][figure]["low"] < expected < report["metrics"][figure]["high"]
    assert "macro_f1_5_day30" not in report["metrics"], "the file does not speak of that day"
    assert report["learner"] == "own.csv"


def test_what_is_left_out_counts_as_the_class_rates(
    first: tuple[np.ndarray, Trial], folder: str, tmp_path: Path
) -> None:
    table = entry_of(first)
    table = table[table["days"] == "whole"].drop(columns="days")
    half = table.iloc[: len(table) // 2]
    half.to_csv(tmp_path / "half.csv", index=False)
    outcome = score_entry(SUITE, folder, tmp_path / "half.csv", None, draws=5)
    assert outcome.metrics["coverage_5"][0] == pytest.approx(len(half) / len(table))
    assert outcome.n_test == len(table)
    predictions = outcome.trials[0][1]
    np.testing.assert_allclose(
        predictions.p[~predictions.answered], predictions.mix[None].repeat(len(table) - len(half), 0)
    )


def test_the_form_has_every_object_once_in_each_fold(
    first: tuple[np.ndarray, Trial], folder: str, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(evaluate, [SUITE, "--data", folder, "--form", str(tmp_path / "form.csv")])
    assert ran.exit_code == 0
    form = pd.read_csv(tmp_path / "form.csv", keep_default_na=False)
    mine = form[form["trial"] == first[1].name]
    assert not mine.duplicated(["fold", "object"]).any()
    assert mine[mine["role"] == "test"]["object"].nunique() == (first[1].label >= 0).sum()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.drop(columns="Ibc"), "missing ['Ibc']"),
        (lambda t: t.assign(Ia=2.0), "line 2: probabilities must be 0 to 1 and add up to 1"),
        (lambda t: t.assign(days="4"), "line 2: days must be one of 3, 7, 15, 30 or whole, found '4'"),
        (lambda t: t.assign(object="SN of nobody"), "line 2: object must be one that"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "occurs twice at the same days"),
    ],
)
def test_what_is_no_entry_is_refused(
    first: tuple[np.ndarray, Trial], folder: str, tmp_path: Path, change, complaint
) -> None:
    change(entry_of(first)).to_csv(tmp_path / "own.csv", index=False)
    prepared = prepare(SUITE, folder, 1)
    with pytest.raises(ValueError, match=r"own\.csv") as raised:
        entries.read(tmp_path / "own.csv", prepared.labelled, prepared.trials[0])
    assert complaint in str(raised.value)


def test_the_line_is_the_line_of_the_file(first: tuple[np.ndarray, Trial], folder: str, tmp_path: Path) -> None:
    lines = entry_of(first).to_csv(index=False).splitlines()
    (tmp_path / "own.csv").write_text("\n".join([lines[0], "", "nobody" + lines[1][lines[1].index(",") :]]))
    prepared = prepare(SUITE, folder, 1)
    with pytest.raises(ValueError, match=r"own\.csv, line 3: object must be one that .*, found nobody"):
        entries.read(tmp_path / "own.csv", prepared.labelled, prepared.trials[0])


def test_an_unknown_trial_is_named_with_those_there_are(folder: str, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no trial 'four'; there are '5', '5_redshift'"):
        score_entry(SUITE, folder, tmp_path / "own.csv", "four")
