"""The nightly selection: a crowd is found, a sky without one gives nothing, and each list says what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.discovery.objects import Blocks, Objects
from models.discovery.publication import History
from models.discovery.selection import Control, Mode, Selection, select

CLASSES, WIDTH = 3, 8
CENTRES = np.random.default_rng(0).normal(0, 3, (CLASSES, WIDTH))


def objects(rng: np.random.Generator, n: int, first_id: int, *, novel: int = 0, names: bool = False) -> Objects:
    """``n`` objects of three classes, the last ``novel`` of a class of their own."""
    class_id = rng.integers(CLASSES, size=n)
    vectors = CENTRES[class_id] + rng.normal(size=(n, WIDTH))
    if novel:
        vectors[-novel:] = np.array([7.0] * 2 + [0.0] * (WIDTH - 2)) + 0.7 * rng.normal(size=(novel, WIDTH))
    made = Objects(np.arange(first_id, first_id + n), vectors.astype(np.float32), class_id, vectors[:, 0])
    if not names:
        return made
    return replace(made, features=made.vectors, feature_names=tuple(f"feature_{j}" for j in range(WIDTH)))


def night(seed: int = 1, novel: int = 40, n_nulls: int = 1200, n: int = 1500, **options: object) -> Selection:
    rng = np.random.default_rng(seed)
    nulls = objects(rng, n_nulls, 0, names=True)
    stream = objects(rng, n, 50_000, novel=novel, names=True)
    return select(stream, nulls, seed=seed, **options)


def test_a_far_cluster_is_found_with_its_evidence() -> None:
    result = night()
    novel = result.selected >= 1460
    assert result.control == Control.CONTROLLED
    assert novel.sum() >= 35
    assert novel.mean() >= 0.8
    assert (result.q_value[result.selected] <= 0.1).all()
    assert (np.diff(result.score[result.selected]) <= 0).all()
    assert result.is_new.all()
    assert novel[result.group == 0].mean() > 0.9
    why = result.evidence[0]
    assert all(row in result.selected and row != result.selected[0] for row in why.nearest_novel)
    assert all(0 <= row < 1200 for row in why.nearest_nulls)
    assert {driver.feature for driver in why.drivers} & {"feature_0", "feature_1"}
    assert sum(len(rows) for rows in result.groups) == len(result.selected)


def test_the_seed_decides() -> None:
    first, again, other = night(seed=5), night(seed=5), night(seed=6)
    assert (first.score == again.score).all()
    assert (first.selected == again.selected).all()
    assert first.evidence == again.evidence
    assert not np.array_equal(first.score, other.score)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_night_without_novel_objects_selects_seldom(mode: Mode) -> None:
    nights, fdr = 40, 0.2
    some = sum(len(night(seed, 0, 500, 120, fdr=fdr, mode=mode).selected) > 0 for seed in range(nights))
    # the FDR is then the probability of any selection; two standard errors above are allowed
    assert some <= nights * fdr + 2 * np.sqrt(nights * fdr * (1 - fdr))


def test_strict_finds_and_says_so() -> None:
    result = night(mode=Mode.STRICT, novel=80)
    assert result.control == Control.STRICT
    assert result.n_nulls == 600
    assert (result.selected >= 1420).sum() >= 60
    assert (result.selected >= 1420).mean() >= 0.8


@pytest.mark.parametrize("n_nulls", [0, 10, 300])
def test_few_nulls_give_a_list_without_a_rate(n_nulls: int) -> None:
    result = night(n_nulls=n_nulls, most_uncontrolled=7)
    assert result.control == Control.UNCONTROLLED
    assert len(result.selected) == 7
    assert np.isnan(result.q_value).all()
    if n_nulls < 50:  # ranked by the static score
        assert set(result.selected) == set(np.argsort(-result.score)[:7])


def test_published_objects_stay_published() -> None:
    rng = np.random.default_rng(2)
    nulls, stream = objects(rng, 1200, 0), objects(rng, 1500, 50_000, novel=40)
    first = select(stream, nulls)
    vectors = stream.vectors.copy()
    vectors[first.selected[:10]] = CENTRES[0]  # the next alerts look ordinary
    later = select(replace(stream, vectors=vectors), nulls, history=first.history)
    assert set(first.selected) <= set(later.selected)
    assert not later.is_new[np.isin(later.selected, first.selected)].any()
    assert set(first.history.published) <= set(later.history.published)
    assert select(stream, nulls, mode=Mode.STRICT).control == Control.STRICT
    assert select(stream, nulls, mode=Mode.STRICT, history=first.history).control == Control.CONTROLLED
    weary = History(first.history.published, nulls.object_id[:200])  # thresholds that many known objects passed
    assert not select(stream, nulls, history=weary).is_new.any()


def test_labelled_examples_raise_what_is_no_crowd() -> None:
    higher = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        nulls, stream = objects(rng, 1200, 0), objects(rng, 1500, 50_000, novel=4)
        examples = objects(rng, 10, 90_000, novel=10)
        alone = np.argsort(np.argsort(-select(stream, nulls, seed=seed).score))[-4:]
        together = np.argsort(np.argsort(-select(stream, nulls, seed=seed, novel=examples).score))[-4:]
        higher += together.mean() < alone.mean()
        assert together.mean() < 60
    assert higher >= 3


def test_what_does_not_fit_is_refused() -> None:
    rng = np.random.default_rng(0)
    nulls, stream = objects(rng, 20, 0), objects(rng, 20, 100)
    with pytest.raises(ValueError, match="object 0 is in the stream and among the nulls"):
        select(nulls, nulls)
    with pytest.raises(ValueError, match="between 0 and 1"):
        select(stream, nulls, fdr=1.0)
    with pytest.raises(ValueError, match="of the same model"):
        select(stream, replace(nulls, vectors=nulls.vectors[:, :3]))
    with pytest.raises(ValueError, match="blocks of 3 columns"):
        select(stream, nulls, blocks=Blocks((1, 2), (1.0, 1.0)))
    with pytest.raises(ValueError, match="tested once, found object 100 in 20 rows"):
        replace(stream, object_id=np.full(20, 100))
    with pytest.raises(ValueError, match="must be finite"):
        replace(stream, vectors=np.full((20, WIDTH), np.nan, np.float32))


def test_no_objects_give_an_empty_list() -> None:
    rng = np.random.default_rng(0)
    for n_nulls in (0, 600):
        result = select(objects(rng, 0, 100), objects(rng, n_nulls, 1000))
        assert len(result.selected) == len(result.groups) == len(result.evidence) == 0
