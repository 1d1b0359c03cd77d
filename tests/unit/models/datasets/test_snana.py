"""SNANA's text: what is read of it, and what is refused with the file, the line and the object."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from models.datasets import snana, sources
from models.datasets.labelled import NJY_PER_FLUXCAL, alerts
from models.datasets.reading import UnreadableError
from schemas.light_curves import BANDS
from tests.unit.models.datasets.faults import FAULTS

TEXT = """SNID: {name}
RA: {ra} deg
DECL: {dec} deg
SIM_TYPE_NAME: {kind}
SIM_TEMPLATE_INDEX: 3
NOBS: 3
VARLIST: MJD FLT FIELD FLUXCAL FLUXCALERR PHOTFLAG
OBS: 56176.2 g NULL 40.0 4.0 0
OBS: 56177.2 X NULL 40.0 4.0 0
OBS: {mjd} DES-r NULL {flux} 4.0 {flag}
END:
"""
GOOD = {"name": "7", "ra": "52.5", "dec": "-27.5", "kind": "Ibc", "mjd": "56178.2", "flux": "60.0", "flag": "0"}


def text(**changed: str) -> str:
    return TEXT.format(**(GOOD | changed))


@pytest.mark.parametrize(
    ("folder", "name", "class_id", "n_points"),
    [("s1_varnames", "11", 2222, 4), ("s1_lower", "11", 2222, 4), ("s2_kilonova", "21", 2232, 6)],
)
def test_newer_and_smaller_spellings_are_read(folder: str, name: str, class_id: int, n_points: int) -> None:
    labelled = sources.load(str(FAULTS / folder))
    assert labelled.truth.name.tolist() == [name]
    assert labelled.class_id.tolist() == [class_id]
    assert labelled.light_curves.n_points.tolist() == [n_points]


def test_a_right_ascension_just_below_zero_is_zero() -> None:
    curves = sources.load(str(FAULTS / "s6_ra")).light_curves
    assert curves.ra_deg.tolist() == [0.0]
    assert curves.dec_deg.tolist() == [-0.95]


def test_a_file_that_is_cut_off_is_named_with_line_and_object() -> None:
    place = (
        r"s4b_cut/SN000011\.DAT, line 18: an observation of the object 11 must have 8 values .*, found 2: the file may"
    )
    with pytest.raises(UnreadableError, match=place):
        sources.load(str(FAULTS / "s4b_cut"))


def test_fields_and_points() -> None:
    one = snana.parse(text(), "SN7.DAT")
    assert (one.name, one.class_id, one.ra_deg, one.dec_deg, one.template) == ("7", 2223, 52.5, -27.5, 3)
    assert [BANDS[band] for band in one.points["band"]] == ["g", "r"], "a band that is not known is left out"
    assert one.points["time"].tolist() == [56176.2, 56178.2]
    assert one.is_detection.tolist() == [True, True]
    assert snana.parse(text(flag="4096"), "SN7.DAT").is_detection.tolist() == [False, True]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mjd": "2456178.7"}, "line 10: MJD must be a time, MJD TAI, between 10,000 and 100,000, found '2456178.7'"),
        ({"mjd": "nan"}, "line 10: MJD must be a time"),
        ({"flux": "bright"}, "line 10: FLUXCAL must be a number, found 'bright'"),
        ({"flag": "-1"}, "line 10: PHOTFLAG must be a number from 0"),
        ({"ra": "hot"}, "object 7: RA must be a number, found 'hot'"),
        ({"ra": "720"}, "object 7: RA must be right ascension, -180 to 360 degrees, found 720.0"),
        ({"dec": "-91"}, "object 7: DECL must be declination, -90 to 90 degrees, found -91.0"),
        ({"name": ""}, "SNANA text must have the object's name in the field SNID, found none"),
    ],
)
def test_values_that_cannot_be_are_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        snana.parse(text(**changed), "SN7.DAT")
    assert str(raised.value).startswith("SN7.DAT")
    assert message in str(raised.value)


def test_columns_that_are_missing_are_named() -> None:
    with pytest.raises(UnreadableError, match=r"SN7.DAT, object 7: .* of which FLUXCALERR are missing; found MJD FLT"):
        snana.parse(text().replace("FLUXCALERR", "ERR"), "SN7.DAT")
    with pytest.raises(UnreadableError, match=r"must name the columns .*; found none"):
        snana.parse(text().replace("VARLIST", "LIST"), "SN7.DAT")


def test_lines_that_are_missing_at_the_end_are_noticed() -> None:
    whole = text()
    with pytest.raises(UnreadableError, match="NOBS tells of 3 observations, found 2: the file may be cut off"):
        snana.parse(whole[: whole.rindex("OBS:")], "SN7.DAT")


@pytest.mark.parametrize("place", [("-999", "-999"), ("-9", "-9"), ("nan", "nan"), ("", "")])
def test_a_position_that_is_not_known_is_missing(place: tuple[str, str]) -> None:
    one = snana.parse(text(ra=place[0], dec=place[1]).replace(" deg", ""), "SN7.DAT")
    assert np.isnan([one.ra_deg, one.dec_deg]).all()


def test_types_that_are_not_known_are_told(tmp_path: Path) -> None:
    for number, kind in enumerate(["Ia", "Ia-sinking", "Ia-sinking", "SNIIn+HostXT_V19"]):
        (tmp_path / f"{number}.dat").write_text(text(name=str(number), kind=kind))
    (tmp_path / "4.dat").write_text(text(name="4", flux="1.0").replace("40.0", "1.0"))
    labelled = snana.load(tmp_path)
    assert labelled.class_id.tolist() == [2222, 2224]
    assert labelled.notes == (
        "SNANA: left out 2 objects of the type 'Ia-sinking', which is not known",
        "SNANA: left out 1 object without a detection",
    )
    assert labelled.select([0]).notes == labelled.notes
    for number in (0, 3):
        (tmp_path / f"{number}.dat").unlink()
    with pytest.raises(
        UnreadableError,
        match=r"found none .*2 objects of the type 'Ia-sinking', which is not known; .* 1 object without a",
    ):
        snana.load(tmp_path)


def test_any_name_is_an_object_of_its_own(tmp_path: Path) -> None:
    names = ["2006D", "651", "000651", "δ Cep".replace(" ", "_"), "9" * 40]
    for number, name in enumerate(names):
        (tmp_path / f"{number}.DAT").write_text(text(name=name), encoding="utf-8")
    labelled = snana.load(tmp_path)
    assert labelled.truth.name.tolist() == names
    assert len(set(labelled.light_curves.object_id.tolist())) == len(names)
    stream = alerts(labelled)
    assert len(set(stream.alert_id.tolist())) == len(stream) == 10


def test_files_of_one_release_that_count_alike_have_objects_of_their_own(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "release.tar.gz", "w:gz") as archive:
        for part in ("a", "b"):
            file = tmp_path / part / "SN7.DAT"
            file.parent.mkdir()
            file.write_text(text(flux="60" if part == "a" else "70"))
            archive.add(file, f"{part}/SN7.DAT")
    labelled = snana.load(tmp_path / "release.tar.gz")
    assert labelled.truth.name.tolist() == ["release.tar.gz/a/SN7/7", "release.tar.gz/b/SN7/7"]
    assert len(set(labelled.light_curves.object_id.tolist())) == 2
    assert labelled.light_curves.flux_njy[[1, 3]] == pytest.approx(np.array([60, 70]) * NJY_PER_FLUXCAL)


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz", "tar.bz2"])
@pytest.mark.parametrize("part", [0.3, 0.55, 0.8])
def test_an_archive_that_is_cut_off_is_named(tmp_path: Path, ending: str, part: float) -> None:
    whole = tmp_path / f"whole.{ending}"
    noise = np.random.default_rng(1).bytes(3000).hex()
    with tarfile.open(whole, f"w:{ending[4:]}") as archive:
        for number in range(4):
            (tmp_path / f"SN{number}.DAT").write_text(text(name=str(number)) + noise)
            archive.add(tmp_path / f"SN{number}.DAT", f"SN{number}.DAT")
    assert len(snana.load(whole)) == 4
    size = 4 * (512 + 6656) if ending == "tar" else whole.stat().st_size
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(whole.read_bytes()[: int(part * size) + 100])
    with pytest.raises(UnreadableError, match=rf"cut\.{ending} is not a tar archive that can be read"):
        snana.load(cut)


def test_a_name_with_the_character_nul_is_refused(tmp_path: Path) -> None:
    """An array of texts drops NUL at a name's end: two names would become one."""
    head = "SNID: 7\x00\nRA: 1.0\nDECL: 2.0\nSIM_TYPE_NAME: SNIa\nVARLIST: MJD FLT FLUXCAL FLUXCALERR\n"
    (tmp_path / "a.DAT").write_text(f"{head}OBS: 56200 r 20.0 2.0\nEND:\n", encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"a\.DAT: SNID must not hold the character NUL, found '7\\x00'"):
        snana.load(tmp_path)
