"""The network: what scikit-learn says of the same inputs, any scale of a feature, absent classes, its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.bundle import BundleError
from models.scoring import network
from models.scoring.classifier import softmax
from models.scoring.network import Network, NetworkOutput
from models.scoring.normal_scores import NormalScores


def blobs(n: int = 900, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Three classes about three centres, a constant feature, one that is never there and one that often is not."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n)
    centre = np.array([[0.0, 0.0], [2.5, 0.0], [0.0, 2.5]])
    features = np.full((n, 5), np.nan)
    features[:, :2] = centre[label] + rng.normal(size=(n, 2))
    features[:, 2] = 7.0
    features[rng.random(n) < 0.5, 4] = 1.0
    return features, label


@pytest.fixture(scope="module")
def fitted() -> Network:
    features, label = blobs()
    return Network.fit(features, label, np.ones(len(label)), 3, seed=1)


def test_it_learns_what_can_be_learnt(fitted: Network) -> None:
    features, label = blobs(4_000, seed=2)
    distance = ((features[:, None, :2] - np.array([[0.0, 0.0], [2.5, 0.0], [0.0, 2.5]])) ** 2).sum(axis=2)
    best = (distance.argmin(axis=1) == label).mean()  # the rule of equal, round classes
    assert (fitted.raw_scores(features).argmax(axis=1) == label).mean() > best - 0.02


def test_ranks_alone_count(fitted: Network) -> None:
    features, label = blobs()
    stretched = features.copy()
    stretched[:, :2] = np.exp(3 * features[:, :2])
    other = Network.fit(stretched, label, np.ones(len(label)), 3, seed=1)
    off = np.abs(softmax(other.raw_scores(stretched)) - softmax(fitted.raw_scores(features)))
    assert off.mean() < 0.01  # quantiles between two values are not their ranks' alone


def test_the_layers_say_what_scikit_learns_say() -> None:
    from sklearn.neural_network import MLPClassifier

    features, label = blobs()
    scores = NormalScores.fit(features)
    inputs = network._inputs(scores.transform(features), features, np.array([4]))
    with network._quiet():
        theirs = MLPClassifier((8, 4), max_iter=3, random_state=1).fit(inputs, label)
    ours = Network(scores, np.array([4]), [theirs.coefs_], [theirs.intercepts_], np.zeros(3))
    assert softmax(ours.raw_scores(features)) == pytest.approx(theirs.predict_proba(inputs), abs=1e-5)


def test_networks_that_say_the_same_do_not_disagree_and_certain_opposites_do_by_ln_2() -> None:
    """Two networks of one layer with a constant output each."""
    features, scores = np.zeros((4, 1)), NormalScores.fit(np.zeros((2, 1)))

    def pair(one: float, other: float) -> Network:
        weights = [[np.ones((1, 3)), np.zeros((3, 2))]] * 2
        biases = [[np.array([1.0, 2.0, -5.0]), np.array([0.0, logit])] for logit in (one, other)]
        return Network(scores, np.zeros(0, np.int64), weights, biases, np.zeros(2))

    def output(network: Network) -> NetworkOutput:
        return network.output(scores.transform(features), features)

    assert output(pair(1.5, 1.5)).disagreement == pytest.approx(np.zeros(4), abs=1e-12)
    assert output(pair(-40, 40)).disagreement == pytest.approx(np.full(4, np.log(2)), abs=1e-4)
    assert output(pair(0, 0)).hidden[1] == pytest.approx(np.tile([1.0, 2.0, 0.0], (4, 1)))


@pytest.mark.parametrize("present", [[0, 2], [1, 2, 3]])
def test_a_class_without_rows_is_all_but_impossible(present: list[int]) -> None:
    features, label = blobs(300)
    names = np.array(present)[label % len(present)]
    network = Network.fit(features, names, np.ones(300), 4, seed=1, members=1)
    p = softmax(network.raw_scores(features) + network.log_rates)
    absent = sorted(set(range(4)) - set(present))
    assert p[:, absent].max() < 1e-4
    assert set(p.argmax(axis=1)) <= set(present)


def test_what_is_written_is_read_again(fitted: Network, tmp_path: Path) -> None:
    fitted.save(tmp_path / "network.npz")
    again = Network.load(tmp_path / "network.npz", fitted.normal_scores)
    features, _ = blobs(50, seed=3)
    assert again.raw_scores(features) == pytest.approx(fitted.raw_scores(features), abs=1e-4)
    np.savez(tmp_path / "other.npz", quantiles=np.zeros((2, 3)))
    with pytest.raises(BundleError, match="train a new bundle"):
        Network.load(tmp_path / "other.npz", fitted.normal_scores)
