"""The card of a model: what it was made from, what it is for, how good it is and where it ends, from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.scoring.calibration import EPOCH_EDGES
from schemas.taxonomy import name_of

PHOTOZ = "_photoz"
"""Ends the names of figures of alerts whose host's photometric redshift is told."""

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
its first three alerts, its last, and three between); seed {training["seed"]}. Of these objects 60 % are learnt from,
5 % stop the boosting, 17 % calibrate, and on the remaining 18 % the figures below are measured.
{_copies(manifest)}Data fingerprint `{training.get("fingerprint", "unknown")[:16]}`, feature catalogue
`{manifest["feature_fingerprint"][:16]}` ({len(manifest["feature_names"])} features of the light curve).

**Redshift.** {_redshift(manifest)}

**For.** Classes of alerts from their first detection on, for choosing what to look at; and novelty at a stated false
discovery rate. Not for rates of populations or cosmology without a selection function of one's own.

**Classes** (ids of the taxonomy): {classes}. In the data but not learnt, and so novel: {unknown}.

**Rates.** `p_flat` has all classes equally common; `p_survey` those of {manifest["prior_source"]}.

**On held-out objects** (95 % interval over objects; probabilities at the held-out objects' own rates):

{_table(manifest, "")}
{_photoz_table(manifest)}
**Novelty.** {_novelty(manifest)}

**Limits.** The figures hold for objects like those it learnt from. A survey that is deeper, has other bands or a
cadence of its own gives other features: calibrate anew on labels of that stream (`gueststar retrain`), and look at
`gueststar evaluate stream`. With one or two detections most classes cannot be told apart: the probabilities say so.
"""


def _copies(manifest: Mapping[str, Any]) -> str:
    copies = manifest["training"].get("copies")
    if copies is None:
        return ""
    return (
        f"Those learnt from have {copies['mean']:g} copies each on average, moved to other redshifts and seen by the\n"
        f"visits to {copies['donors']}; the others have none.\n"
    )


def _redshift(manifest: Mapping[str, Any]) -> str:
    if f"log_loss_flat{PHOTOZ}" not in manifest["metrics"]:
        return "None enters: the probabilities are of the light curve alone."
    return (
        "Where the packet tells the host's photometric redshift, the probabilities are of a second set of trees\n"
        "and networks that know it; elsewhere of one that needs nothing but the light curve. A spectrum's redshift\n"
        "never enters."
    )


def _photoz_table(manifest: Mapping[str, Any]) -> str:
    if f"log_loss_flat{PHOTOZ}" not in manifest["metrics"]:
        return ""
    title = "Objects whose host has a photometric redshift (none of the Galaxy), told it:"
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
        f"At a p-value of 0.01 {metrics['false_alarms_at_1_percent']:.2%} of the held-out known alerts are selected."
    ]
    if "novelty_auroc" in metrics:
        said.append(
            f"Classes left out are told from known ones with an area of {metrics['novelty_auroc']:.3f}; by "
            f"Benjamini and Hochberg at 0.1, {metrics['novelty_bh_power']:.1%} of their alerts are found, and "
            f"{metrics['novelty_bh_fdr']:.1%} of what is found is not novel."
        )
    return " ".join(said)
