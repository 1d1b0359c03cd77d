"""Alert packets: bytes → LightCurves, or a dead letter with the reason; and back.

The work is imported when it is first asked for, so that settings and command line load at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.input_topics import DEFAULT_TOPIC

if TYPE_CHECKING:
    from schemas.dead_letters import DeadLetter
    from schemas.files import PassOver
    from schemas.light_curves import LightCurves

__all__ = ["DEFAULT_TOPIC", "SIZE_LIMIT_BYTES", "as_avro", "read", "read_files", "write"]

SIZE_LIMIT_BYTES = 5_000_000
"""Longer messages are refused unread."""


def read(
    messages: Sequence[bytes] | bytes, topic: str | None = None, *, size_limit_bytes: int = SIZE_LIMIT_BYTES
) -> tuple[LightCurves, list[DeadLetter]]:
    """The alerts of a batch of messages, and what could not be used; never raises.

    A message is an LSST wire message or an Avro object container with one alert or more; kinds and schema versions
    may be mixed, for each says itself what it is; a single message may be given by itself. Each alert becomes a row,
    in the order of the messages (``LightCurves.packet_index`` names its message), or a DeadLetter: at stage "decode"
    where the bytes are not a packet, at "light curve" where the packet has no light curve. A message damaged anywhere
    is refused as a whole.

    The alert's id is that of the triggering measurement (``diaSourceId``, ZTF's ``candid``) in every version: the
    separate ``alertId`` of early schemas is the same for all of ELAsTiCC's alerts. Where a packet lists several
    measurements at the same time in the same band, the trigger counts before the history, the history before forced
    photometry, and it is a detection if any is; withdrawn measurements are left out.

    ``topic`` is named in the reasons. Messages longer than ``size_limit_bytes`` are refused unread.

    >>> from schemas.light_curves import LightCurves
    >>> points = {"time_mjd": [61000.2, 61003.2], "flux_njy": [900.0, 1400.0], "flux_err_njy": [90.0, 95.0]}
    >>> points |= {"band": [1, 2], "is_detection": [True, True]}  # g and r
    >>> alerts = {"alert_id": [7], "object_id": [42], "alert_mjd": [61003.2], "ra_deg": [150.1], "dec_deg": [2.2]}
    >>> messages = write(LightCurves.from_points(alert=[0, 0], columns=points, alerts=alerts))
    >>> light_curves, dead_letters = read([*messages, b"no alert"])
    >>> light_curves.alert_id.tolist(), light_curves.flux_njy.tolist()
    ([7], [900.0, 1400.0])
    >>> dead_letters[0].packet_index, dead_letters[0].stage
    (1, 'decode')
    """
    if isinstance(messages, bytes | bytearray | memoryview):
        messages = [bytes(messages)]
    from schemas import packet_reader

    return packet_reader.read(messages, topic, size_limit_bytes)


def write(light_curves: LightCurves, *, full: bool = False, cutout: bytes = b"") -> list[bytes]:
    """One LSST wire message of the newest schema per alert; see :func:`schemas.wire_writer.write`."""
    from schemas import wire_writer

    return wire_writer.write(light_curves, full=full, cutout=cutout)


def as_avro(message: bytes) -> tuple[dict[str, Any], bytes]:
    """The schema, in one piece, that a wire message was written with, and its bytes after the header: for other
    readers of Avro, such as fastavro's ``schemaless_reader``. Raises ValueError where the header is not known.
    """
    from schemas import lsst

    schema_id, _ = lsst.wire_program(message)
    return lsst.whole_schema(schema_id), message[lsst.WIRE_HEADER_BYTES :]


def read_files(
    paths: str | Path | Iterable[str | Path], pass_over: PassOver = lambda error: None
) -> tuple[list[bytes], list[Path]]:
    """The messages in one alert file or several, and the file of each; see :func:`schemas.files.read_files`."""
    from schemas import files

    return files.read_files(paths, pass_over)
