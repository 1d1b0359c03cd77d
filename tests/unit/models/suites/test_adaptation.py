"""A labelled set played as a stream: order, what is learnt from, and the figures' names and bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.registry import shipped
from models.scoring.scorer import Scorer
from models.suites import adaptation, stream_novelty
from models.suites.played import Played, play
from tests.unit.models.played_objects import made_up

NAMES = [
    "false_alarms_1_before", "false_alarms_1", "false_alarms_5", "fdr_10_after_500",
    *(
        f"{figure}_{moment}"
        for figure in ("ece", "macro_f1", "auc_ia")
        for moment in ("before", "after_0", "after_200", "after_500")
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load(shipped.folder())


@pytest.fixture(scope="module")
def few(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty real objects."""
    folder = tmp_path_factory.mktemp("bts")
    for file in (shared_data / "bts").iterdir():
        if file.name == "bts_labels.csv":
            (folder / file.name).write_text("".join(file.read_text().splitlines(keepends=True)[:61]))
        else:
            (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def real(scorer: Scorer, few: Path) -> Played:
    return play(str(few), scorer, few / "features", n_jobs=1)


def test_real_objects_are_played_in_the_order_of_their_last_alerts(real: Played) -> None:
    last = np.flatnonzero(real.is_last)
    assert real.turn[last].tolist() == list(range(real.n_objects))
    end = real.labelled.light_curves.alert_mjd[real.object_row]
    assert (np.diff(end[last]) > -400).all()  # an alert ends before forced photometry does
    assert (np.diff(real.turn) >= 0).all()
    np.testing.assert_allclose(real.p_published, real.p_model, atol=1e-6)  # nothing was adapted


def test_a_set_gives_every_figure_and_what_cannot_be_judged_is_null(scorer: Scorer, real: Played, few: Path) -> None:
    outcome = adaptation.run(str(few), scorer, folder=few / "features", draws=20, n_jobs=1)
    assert outcome.n_train + outcome.n_test <= real.n_objects
    figures = outcome.to_json()["metrics"]
    assert list(figures) == NAMES
    for figure in ("ece", "macro_f1", "auc_ia"):
        assert figures[f"{figure}_before"] == figures[f"{figure}_after_0"]
    assert all(set(figure) == {"value", "low", "high"} for figure in figures.values())
    assert figures["fdr_10_after_500"] == {"value": None, "low": None, "high": None}  # too few nulls
    assert any(note.startswith("after_500: there are") for note in outcome.notes)


def test_labels_bring_calibration_and_the_last_third_is_not_learnt_from(scorer: Scorer) -> None:
    played = made_up(scorer, 1500, seed=1)
    thirds = adaptation._Thirds(*np.array_split(np.arange(1500), 3))
    tested = played.rows_of(thirds.third, last=True)
    results, _ = adaptation._adapted(played, thirds, tested, scorer, 1, lambda *_: None)
    figures = adaptation._figures(results, scorer.class_ids, played, tested, 1, 20)
    assert figures["ece_after_200"][0] < figures["ece_before"][0]
    assert figures["ece_after_500"][0] < 0.06
    assert figures["auc_ia_after_500"][0] > figures["auc_ia_before"][0] - 0.01
    changed = played.label.copy()
    changed[np.isin(played.turn, thirds.third)] = 0
    again, _ = adaptation._adapted(replace(played, label=changed), thirds, tested, scorer, 1, lambda *_: None)
    for name in results:
        np.testing.assert_array_equal(again[name], results[name])


def test_ranks_among_the_stream_hold_their_rate_where_the_models_do_not(scorer: Scorer) -> None:
    played = made_up(scorer, 3000, seed=2)
    past, tested = np.arange(2000), np.arange(2000, 3000)
    figures, notes = stream_novelty.figures(played, past, tested, scorer.class_ids, 1, 20, lambda *_: None)
    assert figures["false_alarms_1_before"][0] > 0.1
    assert figures["false_alarms_1"][0] == pytest.approx(0.01, abs=0.01)
    assert figures["false_alarms_5"][0] == pytest.approx(0.05, abs=0.025)
    assert figures["fdr_10_after_500"][0] < 0.25
    assert "ranks in bin" not in "".join(notes)


def test_a_small_stream_ranks_among_what_there_is_and_says_so(scorer: Scorer) -> None:
    played = made_up(scorer, 240, seed=3)
    p, notes = stream_novelty.rank_p_values(played, played.rows_of(np.arange(160)), played.rows_of(np.arange(160, 240)))
    assert ((p > 0) & (p <= 1)).all()
    assert any("among 160 objects" in note for note in notes)


def test_a_set_that_is_too_small_is_refused_in_words(scorer: Scorer, few: Path, tmp_path: Path) -> None:
    for file in few.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    labels = tmp_path / "bts_labels.csv"
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:13]))
    with pytest.raises(ValueError, match="last third must have 10 objects"):
        adaptation.run(str(tmp_path), scorer, folder=None, n_jobs=1)
