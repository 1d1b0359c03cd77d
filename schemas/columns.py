"""An Avro schema and the columns wanted from it → a reader of just those columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas import avro_values as w
from schemas.avro_runs import runs_of
from schemas.avro_walk import MAX_DEPTH

MAX_STEPS = 50_000
"""Most steps a schema may unfold to; real alert schemas take under 5,000."""

MAX_POINTS = 100_000
"""Most measurements one alert may carry; the richest real ones have about 2,500."""

PRIMITIVES = {
    "int": w.LONG,
    "long": w.LONG,
    "float": w.FLOAT,
    "double": w.DOUBLE,
    "boolean": w.BOOLEAN,
    "bytes": w.BYTES,
    "string": w.STRING,
}


FITS = {
    "float": ("float", "double", "int", "long"),
    "int": ("long", "int", "boolean"),
    "text": ("string",),
    "present": (),
}
"""Avro types a kind of column can be read from; a 64-bit id as a double has lost digits, and is refused."""


class Refusal(ValueError):
    """A message that cannot be used; its text is the reason for people."""


class Column(NamedTuple):
    """A wanted column: ``kind`` is "float", "int", "text" (up to 16 bytes) or "present" (1 where a record is there),
    ``paths`` its names in the versions of the schema, as in ``diaSource.psfFlux``."""

    kind: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What is wanted of an alert: columns of the alert itself, columns of each measurement in the arrays named, and
    the number that tells the arrays' rows apart."""

    alert: dict[str, Column]
    point: dict[str, Column]
    arrays: dict[str, int]
    required: tuple[str, ...] = ()

    def slots(self, columns: dict[str, Column]) -> tuple[dict[str, int], int, int]:
        """Register of each column, and how many float and integer registers there are."""
        places, n_floats, n_ints = {}, 0, 0
        for name, column in columns.items():
            if column.kind == "float":
                places[name], n_floats = n_floats, n_floats + 1
            else:
                places[name], n_ints = n_ints, n_ints + (2 if column.kind == "text" else 1)
        return places, n_floats, n_ints


@dataclass(frozen=True)
class Program:
    """How to read one schema: ``tables`` as :func:`schemas.avro_walk.walk` takes them; ``where`` names the field of
    each step."""

    tables: tuple[NDArray[np.int64], ...]
    where: tuple[str, ...]


class Compiler:
    """Unfolds a schema into steps. One is used once."""

    def __init__(self, layout: Layout, named: dict[str, Any] | None = None) -> None:
        self.layout = layout
        self.named: dict[str, Any] = dict(named or {})
        self.steps: list[list[int]] = []
        self.where: list[str] = []
        self.branches: list[int] = []
        self.open: list[str] = []
        self.array = ""
        self.found: set[str] = set()
        alert_slots, self.alert_floats, self.alert_ints = layout.slots(layout.alert)
        point_slots, _, _ = layout.slots(layout.point)
        self.wanted: dict[str, tuple[str, int, str]] = {}
        for name, column in layout.alert.items():
            self.wanted |= dict.fromkeys(column.paths, (column.kind, alert_slots[name], name))
        for name, column in layout.point.items():
            shift = self.alert_floats if column.kind == "float" else self.alert_ints
            for array in layout.arrays:
                for path in column.paths:
                    self.wanted[f"{array}[].{path}"] = (column.kind, point_slots[name] + shift, name)

    def compile(self, schema: Any) -> Program:
        """The program; raises Refusal where the schema is unsafe or lacks a required column."""
        self._type(schema, "", "")
        self._emit(w.END, "the end")
        lacking = [name for name in self.layout.required if name not in self.found]
        if lacking:
            paths = {**self.layout.alert, **self.layout.point}
            names = ", ".join(" or ".join(paths[name].paths) for name in lacking)
            raise Refusal(f"the packet's schema has no field {names}")
        steps, branches = np.array(self.steps, np.int64), np.array(self.branches or [0], np.int64)
        return Program((steps, *runs_of(steps, branches), branches), tuple(self.where))

    def _emit(self, kind: int, path: str, a: int = 0, null: int = -1, slot: int = -1, target: int = 0) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise Refusal(f"the packet's schema unfolds to more than {MAX_STEPS:,} fields: no alert's schema does")
        self.steps.append([kind, a, null, slot, target])
        self.where.append(path)
        return len(self.steps) - 1

    def _type(self, schema: Any, path: str, namespace: str, null: int = -1) -> None:
        if isinstance(schema, list):
            self._union(schema, path, namespace)
        elif isinstance(schema, dict) and isinstance(schema.get("type"), dict | list):
            self._type(schema["type"], path, namespace, null)
        else:
            name = schema["type"] if isinstance(schema, dict) else schema
            if name in PRIMITIVES:
                self._primitive(name, path, null)
            elif name == "null":
                pass
            elif isinstance(schema, dict) and name in ("array", "map"):
                self._items(schema, name, path, namespace)
            elif isinstance(schema, dict) and name in ("record", "error", "enum", "fixed"):
                self._define(schema, path, namespace)
            else:
                self._reference(str(name), path, namespace)

    def _primitive(self, name: str, path: str, null: int) -> None:
        kind, slot, column = self.wanted.get(path, ("", -1, ""))
        target = w.TO_FLOAT if kind == "float" else w.TO_INT
        if slot >= 0:
            if name not in FITS[kind]:
                raise Refusal(f"field {path} must be {' or '.join(FITS[kind]) or 'a record'}, found {name}")
            self.found.add(column)
        step = PRIMITIVES[name]
        self._emit(step, path, w.SIZES.get(step, 0), null=null, slot=slot, target=target)

    def _union(self, branches: list[Any], path: str, namespace: str) -> None:
        if len(branches) == 2 and "null" in branches:
            null = branches.index("null")
            other = branches[1 - null]
            plain = other["type"] if isinstance(other, dict) else other
            if isinstance(plain, str) and plain in PRIMITIVES:
                self._type(other, path, namespace, null)
                return
            start = self._emit(w.NULLABLE, path, null=null)
            self._type(other, path, namespace)
            self.steps[start][1] = len(self.steps)
            return
        self._emit(w.UNION, path, len(self.branches), len(branches))
        first, exits = len(self.branches), []
        self.branches += [0] * len(branches)
        for k, branch in enumerate(branches):
            self.branches[first + k] = len(self.steps)
            if branch != "null":
                self._type(branch, path, namespace)
            exits.append(self._emit(w.JUMP, path))
        for step in exits:
            self.steps[step][1] = len(self.steps)

    def _mark(self, path: str) -> None:
        kind, slot, column = self.wanted.get(path, ("", -1, ""))
        if kind == "present":
            self._emit(w.MARK, path, slot=slot)
            self.found.add(column)

    def _items(self, schema: dict[str, Any], name: str, path: str, namespace: str) -> None:
        self._enter(f"an {name}" if name == "array" else f"a {name}")
        start = self._emit(w.ARRAY, path)
        row = self.layout.arrays.get(path) if name == "array" else None
        if name == "map":
            self._emit(w.STRING, path + "{key}")
        if row is not None:
            self._emit(w.RESET, path)
        self._type(schema["items" if name == "array" else "values"], path + "[]", namespace)
        if row is not None:
            self._emit(w.ROW, path, row)
        self._emit(w.NEXT, path, start + 1)
        self.steps[start][1] = len(self.steps)
        self.open.pop()

    def _enter(self, name: str) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise Refusal(f"the packet's schema nests deeper than {MAX_DEPTH} levels: no alert's schema does")
        self.open.append(name)

    def _define(self, schema: dict[str, Any], path: str, namespace: str) -> None:
        name = str(schema["name"])
        namespace = name.rpartition(".")[0] or str(schema.get("namespace", namespace))
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        self.named[full] = schema
        self.named.setdefault(name.rpartition(".")[2], schema)
        if schema["type"] == "enum":
            self._emit(w.LONG, path)
        elif schema["type"] == "fixed":
            self._emit(w.FIXED, path, max(0, int(schema["size"])))
        else:
            if full in self.open:
                raise Refusal(f"the packet's schema is recursive: record {full[:80]} contains itself")
            self._enter(full)
            self._mark(path)
            for field in schema["fields"]:
                self._type(field["type"], f"{path}.{field['name']}" if path else str(field["name"]), namespace)
            self.open.pop()

    def _reference(self, name: str, path: str, namespace: str) -> None:
        for candidate in (name, f"{namespace}.{name}", name.rpartition(".")[2]):
            if candidate in self.named:
                self._define(self.named[candidate], path, candidate.rpartition(".")[0] or namespace)
                return
        raise Refusal(f"the packet's schema uses the type {name[:80]!r} at {path or 'its top'} without defining it")
