"""How filters are kept: what is written is read, and what a person spoilt by hand is told and left out."""

from __future__ import annotations

import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker import filters
from broker.filters import FilterError, refusals
from broker.filters.store import Filters, RefusedFilter
from broker.settings import Settings

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def expressions(settings: Settings) -> dict[str, str]:
    kept = filters.load(settings)
    assert kept.refused == []
    return {name: condition.expression for name, condition in kept.conditions.items()}


def spoilt(settings: Settings, text: str | bytes) -> Filters:
    filters.file_of(settings).write_bytes(text.encode() if isinstance(text, str) else text)
    return filters.load(settings)


def test_filters_are_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert expressions(settings) == {}
    assert filters.add(settings, "young", "n_points < 8 and object_name != '\"é\"'")
    assert filters.add(settings, "odd", "is_strange")
    assert not filters.add(settings, "odd", "not is_strange")
    assert expressions(settings) == {"young": "n_points < 8 and object_name != '\"é\"'", "odd": "not is_strange"}
    filters.remove(settings, "young")
    assert expressions(settings) == {"odd": "not is_strange"}
    with pytest.raises(LookupError, match="no filter 'young'; there are: odd"):
        filters.remove(settings, "young")
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["filters.toml"]


@hypothesis.settings(deadline=None)
@example("star", "object_name != '🌟'")
@example("x", "object_name = 'a\nb\tc\r'")
@example("x", "object_name = '\x7f\u2028\ufeff'")
@given(
    st.from_regex(r"[a-z0-9_-]{1,4}", fullmatch=True) | ANY_TEXT, ANY_TEXT.map(lambda text: f"object_name != '{text}'")
)
def test_what_add_takes_load_reads(name: str, expression: str) -> None:
    with tempfile.TemporaryDirectory() as home, suppress(FilterError):
        settings = Settings(home=Path(home))
        filters.add(settings, name, expression)
        filters.add(settings, "other", "is_strange")
        assert expressions(settings) == {name: expression, "other": "is_strange"}


@pytest.mark.parametrize("name", ["", "Novel", "a b", "a.b", "-a", "ä", "x" * 65, "a/b", "a\n", "\ud800"])
def test_names_that_no_topic_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(FilterError, match="a filter's name must be"):
        filters.add(Settings(home=tmp_path), name, "is_strange")


def test_a_name_too_long_beside_the_prefix(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, topic_prefix="x" * 200)
    with pytest.raises(FilterError, match="may have 249 characters"):
        filters.add(settings, "y" * 42, "is_strange")
    assert filters.add(settings, "y" * 41, "is_strange")


def test_a_spoilt_filter_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    kept = spoilt(
        Settings(home=tmp_path),
        '[filters]\nmine = "no_column > 3"\ngood = "is_strange"\nn = 3\nt = {a = 1}\nBig = "TRUE"\n[filter]\nx = "y"\n',
    )
    assert list(kept.conditions) == ["good"]
    reasons = {refused.name: refused.reason for refused in kept.refused}
    assert "no column 'no_column'" in reasons["mine"]
    assert "must be text in quotes, this is 3" in reasons["n"]
    assert "must be text in quotes" in reasons["t"]
    assert "a filter's name must be" in reasons["Big"]
    assert "under the line [filters] of filters.toml, this is 'filter'" in reasons[""]


def test_of_a_file_that_is_no_toml_the_good_lines_go_on(tmp_path: Path) -> None:
    kept = spoilt(
        Settings(home=tmp_path), '[filters]\na = "is_strange"\nb = "is_strange\n\n# c\nc = "n_points > 3"\na = "TRUE"\n'
    )
    assert list(kept.conditions) == ["a", "c"]
    assert kept.conditions["a"].expression == "is_strange"
    assert [(refused.name, refused.expression) for refused in kept.refused] == [("", 'b = "is_strange'), ("a", "TRUE")]
    assert "line 3 is not TOML" in kept.refused[0].reason
    assert "stands above" in kept.refused[1].reason


@pytest.mark.parametrize("content", [b"\xff\xfe", b"filters = 3", b"[[filters]]", b"x = " + b"[" * 9999, b"=", b"\x00"])
def test_nothing_that_the_file_holds_ends_in_a_traceback(tmp_path: Path, content: bytes) -> None:
    settings = Settings(home=tmp_path)
    kept = spoilt(settings, content)
    assert kept.conditions == {}
    assert kept.refused
    with pytest.raises(FilterError, match="mend"):
        filters.add(settings, "good", "is_strange")
    assert filters.file_of(settings).read_bytes() == content, "what a person wrote is not lost"


@hypothesis.settings(deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="[]filters=\"'{}.\n#ab1 ", max_size=60).map(str.encode))
def test_any_file_is_read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        before = spoilt(settings, content)
        with suppress(FilterError):
            filters.add(settings, "good", "is_strange")
            after = filters.load(settings)
            assert after.conditions == before.conditions | {"good": filters.parse("is_strange")}
            assert after.refused == [one for one in before.refused if one.name != "good"]


def test_a_mark_of_byte_order_is_passed_over(tmp_path: Path) -> None:
    assert list(spoilt(Settings(home=tmp_path), '\ufeff[filters]\na = "is_strange"\n').conditions) == ["a"]


def test_a_refused_filter_can_be_removed_and_what_stands_beside_it_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    text = '# mine\n[filters]\nbad = 3  # why\n# the good one\ngood = "is_strange"\n'
    spoilt(settings, text)
    with pytest.raises(FilterError, match=r"the filter bad in .* is refused"):
        filters.get(settings, "bad")
    filters.remove(settings, "bad")
    filters.add(settings, "more", "not is_strange")
    written = filters.file_of(settings).read_text()
    assert written.startswith("# mine\n[filters]\n")
    assert "# the good one\ngood" in written
    assert expressions(settings) == {"good": "is_strange", "more": "not is_strange"}


def test_filters_that_are_added_at_once_are_all_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    threads = [threading.Thread(target=filters.add, args=(settings, f"f{i}", "is_strange")) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(expressions(settings)) == {f"f{i}" for i in range(8)}


def test_what_a_job_refused_is_refused_until_it_is_changed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for name in ("a", "b"):
        filters.add(settings, name, "is_strange")
    refused = RefusedFilter("b", "is_strange", "Spark can't run it: too deep")
    refusals.keep(settings, [refused])
    kept = refusals.without_refused(settings, filters.load(settings))
    assert (list(kept.conditions), kept.refused) == (["a"], [refused])
    filters.add(settings, "b", "not is_strange")
    assert refusals.without_refused(settings, filters.load(settings)).refused == []
    for content in ("", "3", "[3]", "[{}]", "{", "\xff"):
        (tmp_path / refusals.FILE).write_bytes(content.encode("latin-1"))
        assert set(refusals.without_refused(settings, filters.load(settings)).conditions) == {"a", "b"}
