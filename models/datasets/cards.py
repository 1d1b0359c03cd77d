"""A card for each data set: source, contents, pitfalls."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from models.datasets import plasticc


@dataclass(frozen=True, slots=True)
class Card:
    """The facts about a data set.

    ``kind``: its reader, a key of ``sources.KINDS``. ``objects``: the published number of objects, by class id, as far
    as it is known. ``sha256``: those of the published files, by name. ``urls``: where the files can be downloaded.
    """

    name: str
    title: str
    kind: str
    about: str
    licence: str
    source: str
    units: str
    columns: dict[str, str]
    traps: tuple[str, ...]
    objects: dict[int, int] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    installed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "objects": {str(class_id): count for class_id, count in self.objects.items()}}


_ZENODO = "https://zenodo.org/records/2539456/files/"
_PLASTICC_COLUMNS = {
    "object_id": "number of the object; it tells the deep fields from the wide ones, and is scrambled",
    "mjd, passband, flux, flux_err": "a point: MJD, 0 to 5 for ugrizy, FLUXCAL (zero point 27.5 AB mag)",
    "detected_bool": "1 where the difference flux is a detection",
    "hostgal_photoz, hostgal_photoz_err": "the host's photometric redshift; 0 for objects of the Galaxy, read as none",
    "hostgal_specz, true_…": "truth: kept apart, no score may see it",
}
_PLASTICC_TRAPS = (
    "a missing photometric redshift means an object of the Galaxy: with it, half of the classes are given away",
    "the training set is brighter and nearer than the test set, and its classes are mixed otherwise",
    "the deep fields are sampled far better: object numbers and ddf flags would tell them",
)

CARDS = {
    card.name: card
    for card in (
        Card(
            name="plasticc",
            title="PLAsTiCC, the training set",
            kind="plasticc",
            about="Simulated transients and variables in ugrizy over three years, 14 classes.",
            licence="CC BY 4.0",
            source="arXiv:1810.00001, doi:10.5281/zenodo.2539456; in the wheel snmachine 2.0.0.post3",
            units="flux in FLUXCAL, 36.31 nJy; MJD",
            columns=_PLASTICC_COLUMNS,
            traps=_PLASTICC_TRAPS,
            objects=dict(
                zip(
                    (2222, 2223, 2224, 2225, 2226, 2232, 2233, 2235, 2242, 2243, 2323, 2325, 2326, 2332),
                    (2313, 484, 1193, 183, 208, 102, 981, 151, 175, 495, 239, 924, 30, 370),
                    strict=True,
                )
            ),
            sha256={
                plasticc.LIGHT_CURVES_FILE: "da0efda0c6a3c6abec42dcab166ca18814be8597ee9f998e24e9792f6ca6998c",
                plasticc.METADATA_FILE: "3d7fe4298e820244677437fe371c8b56cc8e3633dc8c196a9866aff427c88ee0",
            },
            urls=(f"{_ZENODO}plasticc_train_lightcurves.csv.gz", f"{_ZENODO}plasticc_train_metadata.csv.gz"),
            installed=True,
        ),
        Card(
            name="plasticc-test",
            title="PLAsTiCC, 5,000 supernovae of the unblinded test set",
            kind="plasticc-test",
            about="Supernovae of types Ia, Ib/c and II as they are in the challenge's test set: fainter, farther.",
            licence="CC BY 4.0",
            source="arXiv:1810.00001, doi:10.5281/zenodo.2539456; in the wheel snmachine 2.0.0.post3",
            units="flux in FLUXCAL, 36.31 nJy; MJD",
            columns=_PLASTICC_COLUMNS,
            objects={2222: 2914, 2223: 322, 2224: 1764},
            traps=(*_PLASTICC_TRAPS, "the metadata has no true redshift: the host's, from a spectrum, stands in"),
            sha256={
                plasticc.TEST_LIGHT_CURVES_FILE: "04257146467ccaa929f604c05e98d4d43ed1b084476ccd3b0bdcd7121202eb4c",
                plasticc.TEST_METADATA_FILE: "772660949881aaf4eeb34beef97d8f61d6c268a8d389d0e7f44ad328be46d15e",
            },
            installed=True,
        ),
        Card(
            name="spcc",
            title="Supernova photometric classification challenge, unblinded",
            kind="snana",
            about="Simulated supernovae in griz as DES would see them: types Ia, Ib/c and II.",
            licence="public challenge release",
            source="arXiv:1001.5210 (challenge), arXiv:1008.1024 (results)",
            units="flux in FLUXCAL, 36.31 nJy; MJD",
            columns={
                "SNID": "number of the object, scrambled",
                "OBS: MJD FLT FLUXCAL FLUXCALERR": "a point",
                "HOST_GALAXY_PHOTO-Z": "the host's photometric redshift and its error",
                "SIM_COMMENT": "the simulated type: truth",
                "SNTYPE": "not -9 where the object is one of the 1,103 with a spectrum: truth",
                "SIM_NON1a": "the template: truth, for splits that keep families whole",
            },
            traps=(
                "about 45 templates make all that is not of type Ia: a split that mixes them flatters",
                "the sample with spectra is brighter than the rest, on purpose",
                "REDSHIFT_FINAL is from the spectrum where there is one: it is never read",
                "nothing says what was detected: a flux of five times its error counts",
            ),
        ),
        Card(
            name="bts",
            title="Bright Transient Survey",
            kind="bts",
            about="Real light curves in g, r and i of transients brighter than about 18.5 mag, with spectral types.",
            licence="MIT (light_curve_approx of HSE-LAMBDA); labels from the survey's public catalogue",
            source="arXiv:1910.12973, arXiv:2009.01242",
            units="AB magnitudes of difference images; MJD in UTC, turned into TAI",
            columns={
                "ant_mjd, ant_passband, ant_mag, ant_magerr": "a point; every point is a detection",
                "type": "the spectral type: truth",
                "redshift": "from the spectrum: truth, and an upper bound where a suite says so",
                "peakt": "time of the peak, JD - 2,458,000: truth",
            },
            traps=(
                "some (mjd, band) rows occur twice",
                "no limits and no forced photometry: the rise before the first detection is not there",
                "the same supernovae may stand in other sets under another name",
            ),
        ),
    )
}
