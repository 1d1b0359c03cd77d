"""The class tree is ELAsTiCC's, and its names lead back to its ids."""

from __future__ import annotations

import re

import pytest

from schemas.taxonomy import (
    NOT_CLASSIFIED,
    TAXONOMY,
    children,
    class_id_of,
    leaves,
    lineage,
    name_of,
    shown_name,
    slug_of,
)


@pytest.mark.parametrize("entry", TAXONOMY.values(), ids=str)
def test_id_name_and_slug_lead_to_the_same_class(entry) -> None:
    for key in (entry.class_id, str(entry.class_id), entry.name, entry.name.upper(), entry.slug):
        assert class_id_of(key) == entry.class_id
    assert name_of(entry.class_id) == entry.name
    assert slug_of(entry.class_id) == entry.slug


def test_slugs_are_unique_and_fit_for_a_topic() -> None:
    slugs = [entry.slug for entry in TAXONOMY.values()]
    assert len(set(slugs)) == len(slugs) == 42
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


def test_a_child_refines_its_parents_digits() -> None:
    for entry in TAXONOMY.values():
        if entry.parent_id:
            step = 10 ** (len(str(entry.parent_id)) - len(str(entry.parent_id).rstrip("0")))
            assert entry.parent_id < entry.class_id < entry.parent_id + step


def test_each_group_has_an_other() -> None:
    groups = {entry.parent_id for entry in TAXONOMY.values() if entry.parent_id is not None}
    for group in groups:
        assert any(child.name == f"{TAXONOMY[group].name}/Other" for child in children(group))


def test_the_ids_that_brokers_exchange() -> None:
    assert {name: class_id_of(name) for name in ("Ia", "Ib/c", "II", "KN", "SLSN", "TDE", "RR Lyrae", "AGN")} == {
        "Ia": 2222, "Ib/c": 2223, "II": 2224, "KN": 2232, "SLSN": 2242, "TDE": 2243, "RR Lyrae": 2323, "AGN": 2332,
    }  # fmt: skip
    assert NOT_CLASSIFIED == class_id_of("NotClassified") == 300
    assert lineage(2222) == (2000, 2200, 2220, 2222)
    assert all(not children(leaf.class_id) for leaf in leaves())
    assert TAXONOMY[2222] in leaves()


def test_the_names_that_people_are_shown_are_read() -> None:
    for class_id in TAXONOMY:
        assert class_id_of(shown_name(class_id)) == class_id
    assert {name: class_id_of(name) for name in ("SN II", "sn ib/c", "SNIa", "SN-91bg", "something else")} == {
        "SN II": 2224, "sn ib/c": 2223, "SNIa": 2222, "SN-91bg": 2226, "something else": 2100,
    }  # fmt: skip
    assert shown_name(2221) == "SN-like/Other"
    assert shown_name(7) == "class 7"


@pytest.mark.parametrize("unknown", ["", "2227", -1, "Ia2", "supernova"])
def test_an_unknown_class_is_an_error_that_names_the_known(unknown) -> None:
    with pytest.raises(LookupError, match=r"ia \(2222\)"):
        class_id_of(unknown)
