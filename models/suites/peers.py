"""Published figures on the same or similar data."""

from __future__ import annotations

from models.suites.outcome import Peer

LOCHNER = "Lochner et al. 2016, arXiv:1603.00882"
AVOCADO = "Boone 2019, arXiv:1907.04690"
SUPERPHOT = "de Soto et al. 2024 (Superphot+), arXiv:2403.07975"
KESSLER = "Kessler et al. 2010, arXiv:1008.1024"
VARUGHESE = "Varughese et al. 2015, arXiv:1504.00015"
ORACLE_2 = (
    "Of seven classes, three of them no supernovae, Shah et al. 2026 (ORACLE-2, arXiv:2607.00228) have 0.58 from the "
    "light curve alone, 0.70 with metadata and 0.73 with images"
)
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
        Peer("fom_spectroscopic_photoz", 0.53, KESSLER, "the challenge's best entry: from its efficiency and purity"),
        Peer("fom_spectroscopic", 0.49, VARUGHESE, "only the 55 % of the objects that were watched for 100 days"),
    ],
    "plasticc": [
        Peer("log_loss_flat", 0.468, AVOCADO, "on the challenge's test set, with host redshifts and augmentation"),
    ],
    "plasticc-test": [
        Peer("auc_ia", 0.957, AVOCADO, "all of the test set, with host redshifts and augmentation"),
    ],
    "bts": [
        Peer("macro_f1_5", 0.61, SUPERPHOT, f"6,061 objects, all of the stream's photometry. {ORACLE_2}"),
        Peer("macro_f1_5_redshift", 0.71, SUPERPHOT, "6,061 objects, all of the stream's photometry"),
        Peer("accuracy_3_day3", 0.82, FIRST, "host photometry is used, and simulations to learn from"),
        Peer("accuracy_3_day30", 0.87, FIRST, "host photometry is used, and simulations to learn from"),
    ],
}
