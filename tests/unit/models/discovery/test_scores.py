"""The nightly score: neighbours of a random part of a large stream stand for all, and the folds keep objects apart."""

from __future__ import annotations

import numpy as np
import pytest

from models.discovery import scores
from models.discovery.likeness import likeness
from models.discovery.novel_class import Pool, log_odds
from models.discovery.objects import Blocks, standardised


def sky(n_nulls: int, n_stream: int, novel: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(n_nulls + n_stream, 6)).astype(np.float32)
    vectors[-novel:] = 2.2 + 0.5 * rng.normal(size=(novel, 6))
    return vectors, np.arange(len(vectors)) >= n_nulls


def test_a_part_of_a_large_stream_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, is_stream = sky(600, 6000, 300)
    class_id, is_novel = np.zeros(len(vectors), int), np.arange(len(vectors)) >= 6300
    recall = []
    for most in (60_000, 2_500):
        monkeypatch.setattr(scores, "MOST_REFERENCE", most)
        score = scores.scored(vectors, is_stream, class_id, Blocks(), np.random.default_rng(0)).score
        recall.append((score[is_novel] > np.quantile(score[~is_stream], 0.99)).mean())
    assert min(recall) > 0.8
    assert abs(recall[0] - recall[1]) < 0.1


def test_a_block_without_weight_says_nothing() -> None:
    vectors, _ = sky(600, 900, 60)
    noise = np.concatenate([vectors, 1e3 * np.random.default_rng(6).normal(size=vectors.shape)], axis=1)
    blocks = Blocks((6, 6), (1.0, 0.0))
    plain, shadowed = scores.places(vectors, Blocks()), scores.places(noise.astype(np.float32), blocks)
    np.testing.assert_allclose(shadowed[:, :6], plain, rtol=1e-5)
    assert (shadowed[:, 6:] == 0).all()


def test_the_novel_class_is_learnt_from_other_folds_only() -> None:
    vectors, is_stream = sky(600, 900, 60)
    fold = np.random.default_rng(7).integers(3, size=len(vectors))
    robust, everyone = standardised(vectors), np.arange(len(vectors))
    class_id = np.zeros(len(vectors), int)
    listed = scores.nearest(robust, robust, 140, everyone)
    plain = log_odds(Pool(robust, is_stream, class_id, everyone, listed), fold, robust[:0])
    flipped = is_stream.copy()
    flipped[fold == 0] = ~flipped[fold == 0]  # what fold 0 is called does not matter to its own scores
    other = log_odds(Pool(robust, flipped, class_id, everyone, listed), fold, robust[:0])
    np.testing.assert_allclose(other[fold == 0], plain[fold == 0])
    assert not np.allclose(other[fold == 1], plain[fold == 1])
    assert plain[-60:].mean() > plain[:-60].mean() + 2


def test_what_is_like_three_examples_stands_out_before_there_is_a_crowd() -> None:
    vectors, is_stream = sky(600, 900, 8)
    robust, everyone = standardised(vectors), np.arange(len(vectors))
    pool = Pool(robust[:-3], is_stream[:-3], np.zeros(len(vectors) - 3, int), everyone[:-3], np.zeros((0, 0), np.int32))
    score = likeness(pool, np.random.default_rng(8).integers(3, size=len(vectors) - 3), robust[-3:])
    assert np.median(score[-5:]) > np.quantile(score[:-5], 0.98)
