"""True classes in either numbering of the taxonomy, or by name."""

from __future__ import annotations

import pytest

from schemas.class_numberings import FIRST, class_ids
from schemas.taxonomy import TAXONOMY, lineage, name_of


def read(numbers: list, names: list | None = None) -> list[int]:
    return class_ids(numbers, names or [None] * len(numbers), lambda row: f"row {row + 1}").tolist()


def test_the_first_numbering_has_the_tree_of_today() -> None:
    assert len(set(FIRST.values())) == len(FIRST)
    for number, class_id in FIRST.items():
        assert class_id == int("2" + "".join(str(int(digit) + 1) for digit in str(number)).ljust(3, "0"))
        parent = FIRST.get(number // 10)
        assert parent is None or parent in lineage(class_id)
    assert {name_of(FIRST[number]) for number in (111, 113, 121, 132, 221)} == {"Ia", "II", "KN", "TDE", "AGN"}
    assert set(FIRST.values()) <= set(TAXONOMY)


@pytest.mark.parametrize(
    ("numbers", "names", "class_id"),
    [
        ([111, 113, 121], None, [2222, 2224, 2232]),
        ([111, 113], ["SNIa", "SNII"], [2222, 2224]),
        ([2222, 2224], None, [2222, 2224]),
        (["2222", "111 "], ["Ia", "SNIa"], [2222, 2222]),
        ([111, 12], None, [2222, 2230]),
        ([10, 32], ["SNIa-SALT2", "SNII+HostXT_V19"], [2222, 2224]),
        (["Ia", "KN_K17"], None, [2222, 2232]),
        ([2222], ["whatever it was called"], [2222]),
    ],
)
def test_numbers_or_names(numbers: list, names: list | None, class_id: list[int]) -> None:
    assert read(numbers, names) == class_id


@pytest.mark.parametrize(
    ("numbers", "names", "row"),
    [
        ([2222, 2224], ["Ia", "Ia"], 2),
        ([111, 2224], None, 2),
        ([7], None, 1),
        ([111, 20], None, 2),
        ([111, None], ["SNIa", None], 2),
    ],
)
def test_what_is_not_known_or_contradicts_itself_is_refused_with_its_row(
    numbers: list, names: list | None, row: int
) -> None:
    with pytest.raises(ValueError, match=f"row {row}: class_id must be the true class"):
        read(numbers, names)
