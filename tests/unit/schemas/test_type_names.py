"""Names of types as simulations and brokers write them."""

from __future__ import annotations

import pytest

from schemas.taxonomy import leaves
from schemas.type_names import class_id_of_type


@pytest.mark.parametrize(
    ("names", "class_id"),
    [
        (["SNIa", "SN Ia", "Ia", "snia", "SNIa-SALT2", "SNIa-SALT3", "SNIa-norm", " Ia "], 2222),
        (["SNIb-Templates", "SNIb+HostXT_V19", "SNIc", "SNIcBL+HostXT_V19", "Ibc", "SNIb/c", "Ic-BL"], 2223),
        (["SNII-NMF", "SNII-Templates", "SNIIn-MOSFIT", "SNIIn+HostXT_V19", "SNIIb+HostXT_V19", "IIP", "IIL"], 2224),
        (["SNIax", "Iax"], 2225),
        (["SNIa-91bg", "91bg", "SN91bg"], 2226),
        (["KN_K17", "KN_B19", "KN", "Kilonova"], 2232),
        (["Mdwarf-flare", "M-dwarf Flare"], 2233),
        (["dwarf-nova", "Dwarf Novae"], 2234),
        (["uLens-Single_PyLIMA", "uLens-Single-GenLens", "uLens-Binary", "uLens"], 2235),
        (["SLSN-I+host", "SLSN-I_no_host", "SLSN"], 2242),
        (["TDE"], 2243),
        (["ILOT"], 2244),
        (["CART"], 2245),
        (["PISN", "PISN-STELLA-HECORE", "PISN-STELLA-HYDROGENIC", "PISN-MOSFIT"], 2246),
        (["Cepheid"], 2322),
        (["RRL", "RR Lyrae"], 2323),
        (["d-Sct", "Delta Scuti"], 2324),
        (["EB"], 2325),
        (["LPV/Mira", "Mira"], 2326),
        (["AGN", "CLAGN"], 2332),
    ],
)
def test_names_of_models_and_of_the_taxonomy(names: list[str], class_id: int) -> None:
    assert {name: class_id_of_type(name) for name in names} == dict.fromkeys(names, class_id)


@pytest.mark.parametrize(
    "name", ["", "SN", "Ia-pec", "SL-SNIa", "Techno-sig", "nonsense", "Variable", "SN-like", "2222"]
)
def test_what_is_no_known_type_is_none(name: str) -> None:
    assert class_id_of_type(name) is None


def test_every_leaf_that_is_a_type_is_read_by_its_name() -> None:
    types = [leaf for leaf in leaves() if not leaf.name.endswith("Other")]
    assert all(class_id_of_type(leaf.name) == leaf.class_id for leaf in types)
