"""Published figures on the same data, or near it."""

from __future__ import annotations

from models.suites.outcome import Peer

LOCHNER = "Lochner et al. 2016, arXiv:1603.00882"
AVOCADO = "Boone 2019, arXiv:1907.04690"
SUPERPHOT = "de Soto et al. 2024 (Superphot+), arXiv:2403.07975"
FIRST = "Gagliano et al. 2023 (First Impressions), arXiv:2305.08894"

PEERS: dict[str, list[Peer]] = {
    "spcc": [
        Peer("auc_random_photoz", 0.98, LOCHNER, "all 21,319 objects of the challenge; a redshift is given"),
        Peer(
            "auc_spectroscopic_photoz",
            0.96,
            "Revsbech et al. 2018 (STACCATO), arXiv:1706.03811",
            "all objects of the challenge; uses the photometric redshift to weight its copies",
        ),
    ],
    "plasticc": [
        Peer("log_loss_flat", 0.468, AVOCADO, "on the challenge's test set, with host redshifts and augmentation"),
    ],
    "plasticc-test": [
        Peer("auc_ia", 0.957, AVOCADO, "all of the test set, with host redshifts and augmentation"),
    ],
    "bts": [
        Peer("macro_f1_5", 0.61, SUPERPHOT, "more objects, all of the stream's photometry"),
        Peer("macro_f1_5_redshift", 0.71, SUPERPHOT, "more objects, all of the stream's photometry"),
        Peer("accuracy_3_day3", 0.82, FIRST, "host photometry is used, and simulations to learn from"),
        Peer("accuracy_3_day30", 0.87, FIRST, "host photometry is used, and simulations to learn from"),
    ],
}
