"""The card of a model: its data, use, figures and limits, from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.scoring.calibration import EPOCH_EDGES
from schemas.taxonomy import name_of

PHOTOZ = "_photoz"
"""Suffix of the names of figures of alerts with a photometric redshift of the host."""

FIGURES = {
    "log_loss_flat": "flat log-loss, nat",
    "macro_f1": "macro-F1",
    "auc_ia": "area under the ROC curve of type Ia",
    "ece": "calibration error of the most probable class",
}


def card(manifest: Mapping[str, Any], sha256: str) -> str:
    """The card as Markdown."""
    training = manifest["training"]
    classes = ", ".join(f"{name_of(one)} ({one})" for one in manifest["classes"])
    unknown = ", ".join(name_of(one) for one in (*manifest["left_out"], *manifest["too_few"])) or "none"
    sources = ", ".join(training.get("sources", [])) or "unknown"
    versions = ", ".join(f"{name} {number}" for name, number in sorted(manifest["versions"].items()))
    return f"""# Model {sha256[:16]}

SHA-256 `{sha256}`; {versions}.

**Data.** {training["n_objects"]:,} objects of {sources}, seen at {training["n_snapshots"]:,} moments (each object at
its first three alerts, its last, and three between); seed {training["seed"]}. Of these objects 60 % are for training,
5 % stop the boosting, 17 % calibrate, and the remaining 18 % are held out: the figures below are measured on them.
{_copies(manifest)}Data fingerprint `{training.get("fingerprint", "unknown")[:16]}`, feature catalogue
`{manifest["feature_fingerprint"][:16]}` ({len(manifest["feature_names"])} features of the light curve).

**Redshift.** {_redshift(manifest)}

**Use.** Classes of alerts from their first detection on, to choose targets; and novelty at a stated false-discovery
rate. Do not use it for rates of populations or for cosmology without a selection function for your sample.

**Classes** (ids of the taxonomy): {classes}. In the data but not in the training set, and so novel: {unknown}.

**Class rates.** `p_flat` is for equal rates of all classes; `p_survey` for those of {manifest["prior_source"]}.

**On held-out objects** (95 % interval over objects; probabilities at the class rates of the held-out objects):

{_table(manifest, "")}
{_photoz_table(manifest)}
**Novelty.** {_novelty(manifest)}

**Limits.** The figures hold for objects like those of the training set. A survey with another depth, other bands or
another cadence gives other features: retrain with labels of that stream (`gueststar retrain`), and check the result
with `gueststar evaluate stream`. With one or two detections most classes cannot be separated; the probabilities say so.
"""


def _copies(manifest: Mapping[str, Any]) -> str:
    copies = manifest["training"].get("copies")
    if copies is None:
        return ""
    return (
        f"The training objects have {copies['mean']:g} copies each on average, moved to other redshifts and seen\n"
        f"at the visits to {copies['donors']}; the other objects have none.\n"
    )


def _redshift(manifest: Mapping[str, Any]) -> str:
    if f"log_loss_flat{PHOTOZ}" not in manifest["metrics"]:
        return "Not used: the probabilities come from the light curve alone."
    return (
        "If the packet gives a photometric redshift of the host, the probabilities come from a second set of trees\n"
        "and networks that use it; otherwise from the light curve alone. A spectroscopic redshift is never used."
    )


def _photoz_table(manifest: Mapping[str, Any]) -> str:
    if f"log_loss_flat{PHOTOZ}" not in manifest["metrics"]:
        return ""
    title = "Objects whose host has a photometric redshift (none in the Galaxy), scored with it:"
    return f"\n{title}\n\n{_table(manifest, PHOTOZ)}\n"


def _table(manifest: Mapping[str, Any], header: str) -> str:
    views = {"all moments": "", "last alert": "_last"}
    edges = (1, *EPOCH_EDGES)
    for first, following in zip(edges, (*edges[1:], None), strict=True):
        until = "and more" if following is None else f"to {following - 1}" if following - 1 > first else ""
        views[f"{first} {until}".strip() + " detections"] = f"_epoch_{first}"
    lines = ["| | " + " | ".join(FIGURES.values()) + " |", "|---|" + "---|" * len(FIGURES)]
    for title, end in views.items():
        cells = [_cell(manifest, f"{name}{header}{end}") for name in FIGURES]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(manifest: Mapping[str, Any], name: str) -> str:
    value, interval = manifest["metrics"].get(name), manifest.get("intervals", {}).get(name)
    if value is None:
        return ""
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _novelty(manifest: Mapping[str, Any]) -> str:
    metrics = manifest["metrics"]
    said = [
        f"At a p-value of 0.01 {metrics['false_alarms_at_1_percent']:.2%} of the held-out alerts of known classes are "
        "selected."
    ]
    if "novelty_auroc" in metrics:
        said.append(
            f"The score separates classes left out from known ones with AUROC {metrics['novelty_auroc']:.3f}; by "
            f"Benjamini and Hochberg at 0.1, {metrics['novelty_bh_power']:.1%} of their alerts are selected, and "
            f"{metrics['novelty_bh_fdr']:.1%} of the selected alerts are not novel."
        )
    return " ".join(said)
