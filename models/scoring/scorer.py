"""The Scorer: light curves in, probabilities and novelty out. A pure function of its input and one bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import extract
from features.catalogue import NAMES, fingerprint
from features.definition import finite_or_missing
from models.bundle import BundleError, open_bundle
from models.scoring.abstention import n_detections, reasons
from models.scoring.adapted import Adapted, inputs
from models.scoring.calibration import with_prior
from models.scoring.conformal import Conformal
from models.scoring.embedding import ObjectVectors
from models.scoring.network import NetworkOutput
from models.scoring.novelty import Novelty
from models.scoring.probabilities import Probabilities
from models.scoring.redshift_view import Host, RedshiftView
from schemas.light_curves import LightCurves
from schemas.taxonomy import NOT_CLASSIFIED

NOVELTY_FILE = "novelty.npz"
CONFORMAL_FILE = "conformal.npz"


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of ``n`` alerts by a bundle with ``k`` classes and ``f`` features.

    - ``class_ids``: taxonomy ids of the columns, shape (k,).
    - ``p_flat``, ``p_survey``: probabilities if all classes were equally common, and at the survey's
      rates, shape (n, k), float32; every row adds up to 1.
    - ``class_id``: the most probable class at the survey's rates, or 300, not classified, shape (n,).
      For 300 the probabilities are the class rates themselves: the alert gave no information.
    - ``not_classified_reason``: why it is not classified; "" if it is.
    - ``novelty_score``: larger means more novel, shape (n,); ``novelty_p_value``: the probability that an object of
      a known class scores as high, (0, 1]; 1 if the alert is not classified.
    - ``features``: shape (n, f), NaN where missing; ``feature_names``: of its columns.
    - ``model_sha256``: of the bundle.
    """

    class_ids: NDArray[np.int32]
    p_flat: NDArray[np.float32]
    p_survey: NDArray[np.float32]
    class_id: NDArray[np.int32]
    not_classified_reason: list[str]
    novelty_score: NDArray[np.float32]
    novelty_p_value: NDArray[np.float64]
    features: NDArray[np.float32]
    feature_names: tuple[str, ...]
    model_sha256: str

    def __len__(self) -> int:
        return len(self.class_id)

    @classmethod
    def concatenate(cls, parts: Sequence[Scores]) -> Scores:
        """Join the scores of several batches by one bundle. Raises ValueError if there is none."""
        if not parts:
            raise ValueError("scores must be of at least one batch, found none")
        if len(parts) == 1:
            return parts[0]
        of_alerts = ("p_flat", "p_survey", "class_id", "novelty_score", "novelty_p_value", "features")
        columns: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in of_alerts}
        return replace(
            parts[0], not_classified_reason=[text for part in parts for text in part.not_classified_reason], **columns
        )


class Scorer:
    """A loaded bundle. It keeps no state between calls, and may be shared by threads.

    ``of_light_curve``: the probabilities from the light curve alone. ``with_photoz``: those of alerts with a
    photometric redshift of the host; None in a bundle trained without redshifts. ``adapted``: what labelled objects of
    the stream changed in both.
    """

    def __init__(
        self,
        *,
        manifest: dict[str, Any],
        sha256: str,
        of_light_curve: Probabilities,
        with_photoz: RedshiftView | None,
        novelty: Novelty,
        conformal: Conformal,
        adapted: Adapted | None = None,
    ) -> None:
        self.manifest = manifest
        self.sha256 = sha256
        self.class_ids = of_light_curve.classifier.class_ids.astype(np.int32)
        self.feature_names: tuple[str, ...] = tuple(manifest["feature_names"])
        self.of_light_curve, self.with_photoz = of_light_curve, with_photoz
        self.novelty, self._conformal = novelty, conformal
        self.adapted = adapted or Adapted()
        self.prior = np.array([manifest["prior"][str(class_id)] for class_id in self.class_ids])

    @classmethod
    def load(cls, path: Path | str, sha256: str | None = None) -> Scorer:
        """Load the bundle at ``path``; with ``sha256``, only if it is the bundle with that hash.

        Raises BundleError if a file is missing or changed, or the bundle was made for other features.
        """
        folder = Path(path)
        manifest, bundle_sha256 = open_bundle(folder, sha256)
        if manifest["feature_fingerprint"] != fingerprint() or tuple(manifest["feature_names"]) != tuple(NAMES):
            raise BundleError(
                f"{folder}: the bundle was trained on the feature catalogue {manifest['feature_fingerprint'][:16]}, "
                f"this program computes {fingerprint()[:16]}: train a new bundle with `gueststar train`, "
                "or run the version of gueststar that made this one"
            )
        with np.load(folder / CONFORMAL_FILE, allow_pickle=False) as stored:
            conformal = Conformal(stored["scores"], stored["tail"], float(stored["own_weight"]))
        novelty = Novelty.load(folder / NOVELTY_FILE)
        of_light_curve = Probabilities.load(folder, novelty.normal_scores)
        return cls(
            manifest=manifest,
            sha256=bundle_sha256,
            of_light_curve=of_light_curve,
            with_photoz=RedshiftView.load(folder, novelty.normal_scores, of_light_curve.classifier.class_ids),
            novelty=novelty,
            conformal=conformal,
            adapted=Adapted.load(folder, len(of_light_curve.classifier.class_ids)),
        )

    def save(self, folder: Path) -> None:
        """Write everything but the manifest to ``folder``."""
        self.of_light_curve.save(folder)
        if self.with_photoz is not None:
            self.with_photoz.save(folder)
        self.adapted.save(folder)
        self.novelty.save(folder / NOVELTY_FILE)
        conformal = self._conformal
        np.savez_compressed(
            folder / CONFORMAL_FILE,
            scores=conformal.scores,
            tail=conformal.tail,
            own_weight=np.array(conformal.own_weight),
        )

    def score(self, light_curves: LightCurves) -> Scores:
        """Features, probabilities and novelty of a batch of alerts; never raises for valid light curves.

        One alert with twelve detections in the r band, scored by the shipped model:

        >>> from models.registry import shipped
        >>> days = np.arange(0.0, 36.0, 3.0)
        >>> points = {
        ...     "time_mjd": 60_000 + days,
        ...     "flux_njy": 5_000 * np.exp(-(((days - 18) / 10) ** 2)),
        ...     "flux_err_njy": np.full(12, 60.0),
        ...     "band": np.full(12, 2),
        ...     "is_detection": np.full(12, True),
        ... }
        >>> alerts = {"alert_id": [1], "object_id": [1], "alert_mjd": [60_033.0], "ra_deg": [150.1], "dec_deg": [2.2]}
        >>> curves = LightCurves.from_points(alert=np.zeros(12, int), columns=points, alerts=alerts)
        >>> scores = Scorer.load(shipped.folder()).score(curves)
        >>> scores.p_survey.shape, scores.not_classified_reason
        ((1, 14), [''])
        >>> bool(np.isclose(scores.p_survey.sum(), 1))
        True
        """
        return self.score_features(np.asarray(extract(light_curves).values, np.float64), light_curves)

    def score_features(self, features: NDArray[np.float64], light_curves: LightCurves) -> Scores:
        """As :meth:`score`, from features (n, f) in the order of the catalogue.

        Raises ValueError if the shape of the matrix does not fit the light curves and the catalogue.
        """
        wanted = (len(light_curves), len(self.feature_names))
        if np.shape(features) != wanted:
            raise ValueError(f"features must have shape {wanted} (alerts, features), found {np.shape(features)}")
        matrix = finite_or_missing(np.asarray(features, np.float64))
        detections = n_detections(light_curves)
        reason_text = reasons(light_curves, detections)
        unclassified = np.array([bool(text) for text in reason_text], bool)
        host = Host(light_curves.host_photoz.astype(np.float64), light_curves.host_photoz_err.astype(np.float64))
        p_flat, score, p_value = self.evaluate(matrix, detections, host, light_curves.survey)
        p_flat[unclassified] = 1.0 / len(self.class_ids)
        p_survey = self.at_rates(p_flat, light_curves.survey)
        best = self.class_ids[p_survey.argmax(axis=1)]
        return Scores(
            class_ids=self.class_ids,
            p_flat=p_flat.astype(np.float32),
            p_survey=p_survey.astype(np.float32),
            class_id=np.where(unclassified, NOT_CLASSIFIED, best).astype(np.int32),
            not_classified_reason=reason_text,
            novelty_score=score.astype(np.float32),
            novelty_p_value=np.where(unclassified, 1.0, p_value),
            features=matrix.astype(np.float32),
            feature_names=self.feature_names,
            model_sha256=self.sha256,
        )

    def evaluate(
        self,
        features: NDArray[np.float64],
        detections: NDArray[np.int64],
        host: Host | None = None,
        survey: NDArray[np.int8] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Flat-prior probabilities (n, k), novelty scores (n,) and p-values (n,) of features alone.

        ``detections``: number of detections of each alert; ``host``: the redshift of its host, by default none;
        ``survey``: of each alert, for what was adapted to its stream, by default nothing. Novelty uses the light curve
        alone. For evaluation on a training table; the stream calls :meth:`score`.
        """
        p_flat, normal, output, trees = self._of_model(features, detections, host)
        if survey is not None and self.adapted.heads:
            x = inputs(p_flat, output.logits, normal)
            p_flat = self.adapted.p_flat(p_flat, self.prior, x, survey, detections)
        score = self.novelty.score(self.novelty.evidence(normal, output, trees, detections))
        return p_flat, score, self._conformal.p_value(score)

    def at_rates(self, p_flat: NDArray[np.float64], survey: NDArray[np.int8]) -> NDArray[np.float64]:
        """Probabilities at the class rates of each alert's survey, (n, k), from those at equal rates."""
        return with_prior(p_flat, self.adapted.rates(self.prior, survey))

    def before_adapting(
        self, features: NDArray[np.float64], detections: NDArray[np.int64], host: Host | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What an adaptation learns from: the probabilities at the model's class rates, (n, k), without what was
        adapted before, and the :func:`models.scoring.adapted.inputs`, (n, d). Arguments as for :meth:`evaluate`."""
        p_flat, normal, output, _ = self._of_model(features, detections, host)
        return with_prior(p_flat, self.prior), inputs(p_flat, output.logits, normal)

    def _of_model(
        self, features: NDArray[np.float64], detections: NDArray[np.int64], host: Host | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NetworkOutput, NDArray[np.float64]]:
        """Flat-prior probabilities (n, k) without what was adapted, normal scores (n, f), the networks' output, and the
        trees' logits (n, k)."""
        normal = self.novelty.normal_scores.transform(features)
        output = self.of_light_curve.network.output(normal, features)
        trees = self.of_light_curve.classifier.raw_scores(features)
        p_flat = self.of_light_curve.p_flat(
            features, detections, normal=normal, trees=trees, network_logits=output.logits
        )
        if host is not None and self.with_photoz is not None and (hosted := host.is_told).any():
            p_flat[hosted] = self.with_photoz.p_flat(
                features[hosted], normal[hosted], host.select(hosted), detections[hosted], p_flat[hosted]
            )
        return p_flat, normal, output, trees

    def object_vectors(self, features: NDArray[np.floating], detections: NDArray[np.int64]) -> ObjectVectors:
        """The vectors of n objects, each at one of its alerts, from archived features (n, f) and numbers of detections
        alone.

        Features are in the order of the catalogue, NaN where missing; 32 bits suffice. ``near`` is for neighbours,
        ``wide`` for Gaussians of classes, ``score`` is the static novelty score: see
        :class:`~models.scoring.embedding.ObjectVectors`. All constants come from the bundle: a row's vector does not
        depend on the other rows. Objects that the bundle was trained on look more typical than others.
        """
        matrix = finite_or_missing(np.asarray(features, np.float64))
        normal = self.novelty.normal_scores.transform(matrix)
        output = self.of_light_curve.network.output(normal, matrix)
        trees = self.of_light_curve.classifier.raw_scores(matrix)
        evidence = self.novelty.evidence(normal, output, trees, np.asarray(detections, np.int64))
        return self.novelty.vectors(evidence)
