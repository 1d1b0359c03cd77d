"""Packed files → what they hold: gzip, bzip2, xz, zip and tar, one in another, known by their bytes, not their name.

What a packed file may unpack to is bounded, so that a few bytes cannot fill the memory.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import IO, Any, Self

from schemas.other_files import ALERT_STARTS, NoAlertsError

MESSAGE_LIMIT_BYTES = 100_000_000
"""No alert file is longer, unpacked; a message of the stream may have a twentieth of it."""

UNPACKED_FLOOR_BYTES, UNPACKED_TIMES = 1_000_000_000, 200
"""A file may unpack to so many bytes, or to so many times its size where that is more. The densest real archive of
alerts, small ones without images under xz, unpacks to 90 times its size."""

MAX_DEPTH = 4
"""Layers within one another: an alert in gzip, in tar, in gzip, in zip."""

HEAD_BYTES = 512
NAMED_AS_PACKED = (".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".tar", ".zip")

_MAGIC = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip",
    b"PAR1": "Parquet",
}  # fmt: skip
_OPEN: dict[str, Callable[[IO[bytes]], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}

_CUT_OFF = ("end of data", "end of file", "is not a zip file")
"""What libraries say of an archive without its end; zipfile was only asked where its first bytes are those of one."""

Message = tuple[bytes, Path]
"""Bytes, and where they came from: the file, or the file and the member's name in it."""

Content = tuple[bytes | NoAlertsError, Path]
"""A message, or what is told of a member that holds something else."""


class TooLargeError(ValueError):
    """A packed file unpacks to more than is allowed."""


class Room:
    """How many bytes may still be unpacked from one file."""

    def __init__(self, file: Path, limit_bytes: int) -> None:
        self.file, self.limit, self.left = file, limit_bytes, limit_bytes

    def take(self, n_bytes: int) -> None:
        """Raises TooLargeError where there is no room for so many bytes more."""
        self.left -= n_bytes
        if self.left < 0:
            raise TooLargeError(f"{self.file} unpacks to more than the {self.limit:,} bytes allowed")

    def read_whole(self, stream: Any, origin: Path) -> bytes:
        """All that is left of a stream; raises TooLargeError beyond :data:`MESSAGE_LIMIT_BYTES`."""
        data: bytes = stream.read(MESSAGE_LIMIT_BYTES + 1)
        if len(data) > MESSAGE_LIMIT_BYTES:
            raise TooLargeError(
                f"{origin} unpacks to more than the {MESSAGE_LIMIT_BYTES:,} bytes that an alert file may have"
            )
        self.take(len(data))
        return data


class Bounded(io.RawIOBase):
    """A stream that stops with TooLargeError where its file has no room left."""

    def __init__(self, stream: IO[bytes], room: Room) -> None:
        self._stream, self._room = stream, Room(room.file, room.limit)  # what passes through is counted, not kept

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._room.take(len(data))
        buffer[: len(data)] = data
        return len(data)


def packing_of(head: bytes) -> str:
    """What the first bytes of a file say it is: a kind of packing, "Parquet", or "" for anything else."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    try:
        tarfile.TarInfo.frombuf(head[:HEAD_BYTES], "utf-8", "surrogateescape")  # its checksum is right
    except (tarfile.HeaderError, ValueError):
        return ""
    return "tar"


def unpacked(file: Path, table: Callable[[IO[bytes], Path], Iterator[bytes]]) -> Iterator[Content]:
    """The messages of a file: itself, or what is packed in it; ``table`` gives those of a Parquet file.

    A member of an archive that does not unpack is given as it is: whoever reads the messages refuses it, and its
    neighbours count. In place of a member that is a table without alerts its NoAlertsError is given. Raises OSError
    where the file cannot be read, NoAlertsError where it is such a table itself, ValueError where it is cut off,
    damaged, locked or unpacks to more than is allowed.
    """
    with file.open("rb") as stream:
        room = Room(file, max(UNPACKED_FLOOR_BYTES, UNPACKED_TIMES * file.stat().st_size))
        try:
            yield from _messages(stream, file, room, table, MAX_DEPTH)
        except (TooLargeError, NoAlertsError):
            raise
        except OSError as error:
            if error.errno is not None:  # of the disk, not of what was read from it
                raise
            raise ValueError(_reason(file, error)) from error
        except Exception as error:  # whatever a damaged archive makes its library raise
            raise ValueError(_reason(file, error)) from error


def _reason(file: Path, error: Exception) -> str:
    text = str(error) or type(error).__name__
    if isinstance(error, EOFError) or any(words in text for words in _CUT_OFF):
        return f"{file} is cut off: it ends before its archive does; fetch it again"
    if isinstance(error, ValueError) and str(file) in text:
        return text
    return f"{file} cannot be unpacked: {text}"


def _messages(
    stream: IO[bytes], origin: Path, room: Room, table: Callable[[IO[bytes], Path], Iterator[bytes]], depth: int
) -> Iterator[Content]:
    """The messages of a stream that can be peeked into; ``depth``: how many layers more may be unpacked."""
    head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]  # type: ignore[attr-defined]
    kind = packing_of(head)
    if kind and depth == 0:
        raise ValueError(f"{origin} is packed more than {MAX_DEPTH} times")
    if kind in _OPEN:
        with _OPEN[kind](stream) as inside:
            bounded = io.BufferedReader(Bounded(inside, room), 1 << 16)
            yield from _messages(bounded, origin, room, table, depth - 1)
    elif kind == "Parquet":
        whole = stream if stream.seekable() else io.BytesIO(room.read_whole(stream, origin))
        yield from ((message, origin) for message in table(whole, origin))
    elif kind in ("tar", "zip"):
        for data, place in (_tar if kind == "tar" else _zip)(stream, origin, room):
            yield from _member(data, place, room, table, depth - 1)
    elif depth == MAX_DEPTH:
        yield _plain(stream, head, origin), origin
    else:
        yield room.read_whole(stream, origin), origin


def _plain(stream: IO[bytes], head: bytes, file: Path) -> bytes:
    """A file that is not packed, as it is: whatever it holds. ValueError where its name says it is packed."""
    if file.name.lower().endswith((*NAMED_AS_PACKED, ".parquet")) and not head.startswith(ALERT_STARTS):
        what = "Parquet table" if file.suffix.lower() == ".parquet" else f"{file.suffix} archive"
        start = head[:4].hex() or "nothing"
        raise ValueError(f"{file} is no {what} that can be read: found {start} at byte 0")
    return stream.read()


def _member(
    data: bytes, origin: Path, room: Room, table: Callable[[IO[bytes], Path], Iterator[bytes]], depth: int
) -> list[Content]:
    """The messages of an archive's member, or the member as it is where it does not unpack."""
    if not packing_of(data[:HEAD_BYTES]):
        return [(data, origin)]
    stream = io.BufferedReader(io.BytesIO(data))
    try:
        return list(_messages(stream, origin, room, table, depth))
    except TooLargeError:
        raise
    except NoAlertsError as error:
        return [(error, origin)]
    except Exception:  # as above: it is refused alone
        return [(data, origin)]


class _Header(tarfile.TarInfo):
    """A member's header that tells a damaged or missing one from the archive's end, which tarfile does not."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise EOFError from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"damaged at byte {archive.offset:,}: {error}") from error


def _tar(stream: IO[bytes], origin: Path, room: Room) -> Iterator[Message]:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() and not _is_hidden(member.name) else None
            if content:
                place = origin / member.name
                yield room.read_whole(content, place), place
    while stream.read(1 << 20):  # to the end, where the checksum of what it is packed in stands
        pass


def _zip(stream: IO[bytes], origin: Path, room: Room) -> Iterator[Message]:
    whole = stream if stream.seekable() else io.BytesIO(room.read_whole(stream, origin))
    with zipfile.ZipFile(whole) as archive:
        for member in archive.infolist():
            if not member.is_dir() and not _is_hidden(member.filename):
                with archive.open(member) as content:
                    place = origin / member.filename
                    yield room.read_whole(content, place), place


def _is_hidden(name: str) -> bool:
    """Whether a member is of the kind that systems add for themselves, such as ``__MACOSX/._alert.avro``."""
    parts = PurePath(name).parts
    return bool(parts) and (parts[-1].startswith(".") or parts[0] == "__MACOSX")
