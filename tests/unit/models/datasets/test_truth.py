"""Truth beside the light curves: kept with its object, never within what a feature sees."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.datasets import bts, plasticc, snana
from models.datasets.labelled import Labelled, concatenate
from models.datasets.truth import OWN_FAMILY, TRUTH_COLUMNS, Truth
from schemas.light_curves import LightCurves

HEADER = """SURVEY: DES
SNID:   {number}
SNTYPE:  {sntype}
RA:      52.500000  deg
DECL:    -27.500000  deg
REDSHIFT_SPEC:    0.5000 +- 0.0010
HOST_GALAXY_PHOTO-Z:   {photoz}  +- 0.0303
SIM_NON1a:      {template}   (non1a index)
SIM_COMMENT:  SN Type = {kind} , MODEL = X
SIM_REDSHIFT:  0.7699
SIM_PEAKMJD:   56246.925781  days
VARLIST:  MJD  FLT FIELD   FLUXCAL   FLUXCALERR   SNR
OBS:  56176.191  g NULL  40.0   4.0  10.0
"""


def release(folder: Path, **kinds: tuple[int, str, str, str]) -> Labelled:
    for name, (template, kind, sntype, photoz) in kinds.items():
        number = int(name.removeprefix("n"))
        text = HEADER.format(number=number, sntype=sntype, photoz=photoz, template=template, kind=kind)
        (folder / f"X_SN{number:06d}.DAT").write_text(text)
    return snana.load(folder)


def test_a_release_tells_its_truth_and_the_photometric_redshift_alone_travels(tmp_path: Path) -> None:
    labelled = release(tmp_path, n7=(43, "II", "-9", "0.8094"), n8=(0, "Ia", "1", "-9.0"), n9=(0, "Ia", "-9", "0.1"))
    truth, curves = labelled.truth, labelled.light_curves
    assert truth.name.tolist() == ["7", "8", "9"]
    assert truth.type_name.tolist() == ["II", "Ia", "Ia"]
    assert truth.redshift.tolist() == [0.7699] * 3
    assert truth.template.tolist() == [43, OWN_FAMILY + 8, OWN_FAMILY + 9]
    assert truth.spectroscopic.tolist() == [False, True, False]
    assert truth.peak_mjd == pytest.approx([56246.925781] * 3)
    assert not truth.on_sky.any()
    assert curves.host_photoz == pytest.approx([0.8094, np.nan, 0.1], nan_ok=True)
    assert curves.host_photoz_err == pytest.approx([0.0303] * 3)


def test_families_keep_a_template_together_and_every_type_ia_alone() -> None:
    template = [43, OWN_FAMILY + 1, 43, -1, OWN_FAMILY + 2, -1, 7]
    family = Truth.of(7, template=template).family()
    assert family[0] == family[2]
    assert sorted(np.bincount(family).tolist()) == [1, 1, 1, 1, 1, 2]


def test_truth_follows_its_object_through_choice_and_concatenation(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    first = release(folders[0], n7=(43, "II", "-9", "0.8"), n8=(0, "Ia", "1", "0.5"))
    second = release(folders[1], n8=(0, "Ia", "1", "0.5"), n9=(3, "IIP", "-9", "0.3"))
    both = concatenate([first, second])
    assert both.truth.name.tolist() == ["7", "8", "9"]
    assert both.select([2, 0]).truth.template.tolist() == [3, 43]
    assert both.select(both.truth.spectroscopic).truth.name.tolist() == ["8"]


def test_unknown_truth_says_so_in_every_column() -> None:
    truth = Labelled(LightCurves.empty(), np.empty(0, np.int64), "x", "y").truth
    assert len(truth) == 0
    truth = Truth.of(2)
    assert np.isnan([truth.redshift, truth.peak_mjd, truth.trigger_mjd]).all()
    assert truth.template.tolist() == [-1, -1]
    assert not truth.spectroscopic.any()
    with pytest.raises(ValueError, match="one entry per object"):
        Truth.of(2, name=["a"])
    with pytest.raises(TypeError, match="found \\['colour'\\]"):
        Truth.of(1, colour=[1])


def test_no_column_of_truth_is_one_of_light_curves() -> None:
    assert not set(TRUTH_COLUMNS) & {column.name for column in fields(LightCurves)}


def test_the_installed_sets_tell_photometric_redshifts_and_truth() -> None:
    training, test = plasticc.load(), plasticc.load_test()
    assert (len(training), len(test)) == (7_848, 5_000)
    assert dict(zip(*np.unique(test.class_id, return_counts=True), strict=True)) == {2222: 2914, 2223: 322, 2224: 1764}
    assert int(np.isnan(training.light_curves.host_photoz).sum()) == 2_325
    assert not np.isnan(test.light_curves.host_photoz).any()
    assert int((~np.isnan(test.truth.redshift)).sum()) == 183
    assert training.truth.spectroscopic.all()
    assert not test.truth.spectroscopic.any()
    assert not set(training.light_curves.object_id.tolist()) & set(test.light_curves.object_id.tolist())
    ia = training.class_id == 2222
    scatter = training.light_curves.host_photoz[ia] - training.truth.redshift[ia]
    assert 0 < np.median(np.abs(scatter)) < 0.05
    assert (np.abs(scatter) > 0.1).any()  # photometric, not the truth
    assert np.isnan(training.truth.peak_mjd[training.class_id == 2332]).all()


def test_a_spectroscopic_redshift_stays_out_of_real_light_curves(shared_data: Path) -> None:
    labelled = bts.load(shared_data / "bts")
    truth, curves = labelled.truth, labelled.light_curves
    assert np.isnan(curves.host_photoz).all()
    assert truth.spectroscopic.all()
    assert truth.on_sky.all()
    assert np.isfinite(truth.redshift).mean() > 0.3
    assert {"SN IIn", "SN Ia-91T"} <= set(truth.type_name.tolist())
    assert all(name.startswith("ZTF") for name in truth.name)
    brightest = [
        curves.time_mjd[a:b][np.argmax(curves.flux_njy[a:b])]
        for a, b in zip(curves.offsets[:-1], curves.offsets[1:], strict=True)
    ]
    assert abs(np.median(brightest - truth.peak_mjd)) < 0.01


def test_the_challenge_s_objects_are_counted_as_published(large_data: Path) -> None:
    labelled = snana.load(large_data / "spcc")
    truth, curves = labelled.truth, labelled.light_curves
    assert int(truth.spectroscopic.sum()) == 1_103
    is_ia = labelled.class_id == 2222
    assert set(truth.template[~is_ia].tolist()) == set(range(1, 46))
    assert len(set(truth.template[is_ia].tolist())) == is_ia.sum()
    assert not np.isnan(curves.host_photoz).any()
    assert (np.abs(curves.host_photoz - truth.redshift) > 0.05).sum() > 100
