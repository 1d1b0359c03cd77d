"""ELAsTiCC alerts: LSST packets of simulated events, fluxes in SNANA's FLUXCAL (AB zero point 27.5).

Schemas: https://github.com/LSSTDESC/elasticc/tree/main/alert_schema.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from schemas import lsst
from schemas.packet_rows import PacketRows
from schemas.photometry import NJY_PER_FLUXCAL

LAYOUT = lsst.LAYOUT


def recognises(schema: dict[str, Any]) -> bool:
    """Whether a container's schema is ELAsTiCC's: by its namespace, or, rewritten by another broker, by the host
    galaxy that only simulated objects carry."""
    if "elasticc" in (str(schema.get("namespace", "")) + str(schema["name"])).lower():
        return True
    return lsst.recognises(schema) and "hostgal_mag_u" in str(schema["fields"])


schema_id_of = lsst.schema_id_of


def columns(rows: PacketRows) -> tuple[NDArray, dict[str, NDArray], dict[str, NDArray]]:
    """As :func:`schemas.lsst.columns`, FLUXCAL turned to nJy."""
    return lsst.columns(rows, NJY_PER_FLUXCAL)
