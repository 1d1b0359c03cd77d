"""Names of objects are reversible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import object_id_of, object_name
from schemas.passbands import LSST, ZTF

IDS = st.integers(-(2**63), 2**63 - 1)
ZTF_NAMES = st.from_regex(r"ZTF[0-9]{2}[a-z]{7}", fullmatch=True).filter(str.isascii)


@given(ZTF_NAMES)
def test_a_ztf_name_comes_back(name: str) -> None:
    number = object_id_of(name)
    assert 0 < number < 2**63
    assert object_name(ZTF, number) == name


@given(st.sampled_from([0, 1, 2]), IDS)
def test_a_number_comes_back(survey: int, number: int) -> None:
    assert object_id_of(object_name(survey, number)) == number


@given(ZTF_NAMES, ZTF_NAMES)
def test_names_sort_as_their_numbers(first: str, second: str) -> None:
    assert (first < second) == (object_id_of(first) < object_id_of(second))


def test_no_object_has_no_name() -> None:
    assert object_name(LSST, 0) == object_name(ZTF, 0) == ""
    assert object_id_of("") == 0
    assert object_id_of("ZTF00aaaaaaa") == 1


@pytest.mark.parametrize("name", ["ZTF1abcdefg", "ZTF21abiuvdkx", "SN 2021rhu", "1e5", "9" * 20, "٣", "0x10"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="found"):
        object_id_of(name)
