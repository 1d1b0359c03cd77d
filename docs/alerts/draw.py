"""Draw the pictures of docs/alerts.md: ``python docs/alerts/draw.py FOLDER``, of the alert files there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from broker.report.light_curve_plot import figure_of
from broker.report.process_plot import predictions_of
from schemas import packets

HERE = Path(__file__).parent
PICTURES = {
    "rising": 169813006198767621,
    "slow": 170094456251351059,
    "fast": 170112044634734610,
}
"""Name of the picture and id of the alert."""


def main(folder: Path) -> None:
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".avro", ".parquet"))
    light_curves, _ = packets.read(packets.read_files(files)[0])
    for name, alert_id in PICTURES.items():
        alert = light_curves.select(np.flatnonzero(light_curves.alert_id == alert_id)[:1])
        figure_of(alert, predictions_of(alert)).savefig(HERE / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
