"""A person's interest beside active anomaly discovery, on the same objects, in the same run."""

from __future__ import annotations

import numpy as np
from coniferest.aadforest import AADForest
from coniferest.label import Label

from models.discovery.interest import Candidates, Opinion, Vote, interest, order

QUERIES = 30


def sky(seed: int) -> tuple[Candidates, np.ndarray]:
    """400 objects of eight classes, spheres of unequal size; 30 more of a ninth, somewhat more novel than others."""
    generator = np.random.default_rng(seed)
    kind = np.append(generator.integers(0, 8, 400), np.full(30, 8))
    centres = generator.normal(0, 0.6, (9, 12))
    vectors = centres[kind] + generator.normal(0, 0.25, (430, 12)) * generator.uniform(0.6, 1.4, 9)[kind, None]
    novelty = generator.normal(size=430) + (kind == 8)
    return Candidates(np.arange(430), vectors, novelty), kind == 8


def with_interest(candidates: Candidates, is_wanted: np.ndarray) -> int:
    """How many wanted objects a person comes upon who votes on the first without a vote, QUERIES times."""
    votes: list[Vote] = []
    for _ in range(QUERIES):
        seen = [vote.object_id for vote in votes]
        row = next(i for i in order(candidates, interest(candidates, votes)) if i not in seen)
        opinion = Opinion.INTERESTING if is_wanted[row] else Opinion.BORING
        votes.append(Vote(int(row), opinion, candidates.vectors[row]))
    return int(is_wanted[[vote.object_id for vote in votes]].sum())


def with_active_anomaly_discovery(candidates: Candidates, is_wanted: np.ndarray, seed: int) -> int:
    """The same by coniferest's forest."""
    forest = AADForest(n_trees=100, n_jobs=1, random_seed=seed).fit(candidates.vectors)
    seen: list[int] = []
    for _ in range(QUERIES):
        scores = forest.score_samples(candidates.vectors)
        scores[seen] = np.inf
        seen.append(int(np.argmin(scores)))
        answers = np.where(is_wanted[seen], Label.ANOMALY, Label.REGULAR)
        forest.fit_known(candidates.vectors, candidates.vectors[seen], answers)
    return int(is_wanted[seen].sum())


def test_votes_find_more_than_active_anomaly_discovery_and_than_novelty_alone() -> None:
    by_interest, by_forest, by_novelty = 0, 0, 0
    for seed in range(2):
        candidates, is_wanted = sky(seed)
        by_interest += with_interest(candidates, is_wanted)
        by_forest += with_active_anomaly_discovery(candidates, is_wanted, seed)
        by_novelty += int(is_wanted[order(candidates, interest(candidates, []))[:QUERIES]].sum())
    assert by_interest > by_forest
    assert by_interest > 2 * by_novelty
