from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelmill.errors import BadInputError
from labelmill.formats._json_array import array_elements
from labelmill.formats.json import Json
from labelmill.formats.jsonl import Jsonl

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FORMATS = pytest.mark.parametrize("plugin", [Json(), Jsonl()], ids=["json", "jsonl"])


def read(plugin: Json | Jsonl, path: Path, rows: list[Any], chunk_rows: int = 50_000) -> list[pl.DataFrame]:
    lines = [json.dumps(row) for row in rows]
    path.write_text(f"[{','.join(lines)}]" if isinstance(plugin, Json) else "\n".join(lines))
    chunks = list(plugin.read(path, chunk_rows=chunk_rows))
    assert [row for chunk in chunks for row in chunk.bad_rows] == []
    return [chunk.frame for chunk in chunks]


@FORMATS
@given(
    st.data(),
    st.lists(
        st.fixed_dictionaries(
            {
                "text": TEXTS,
                "maybe": st.none() | TEXTS,
                "flag": st.booleans(),
                "count": st.integers(-(2**63), 2**63 - 1),
                "score": st.floats(allow_nan=False, allow_infinity=False),
                "tags": st.lists(TEXTS, max_size=3),
            }
        ),
        min_size=1,
        max_size=6,
    ),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_comes_back(tmp_path: Path, plugin: Json | Jsonl, data: st.DataObject, rows: list[Any]) -> None:
    """Texts, nulls, truth values, numbers and lists of texts keep value and type."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "text": pl.String,
        "maybe": pl.String,
        "flag": pl.Boolean,
        "count": pl.Int64,
        "score": pl.Float64,
        "tags": pl.List(pl.String),
    }
    frame = pl.DataFrame(rows, schema=schema)
    target = tmp_path / "rows"

    with plugin.writer(target) as writer:
        writer.write(frame)
    found = pl.concat(
        [c.frame for c in plugin.read(target, chunk_rows=data.draw(st.integers(1, 7)))], how="vertical_relaxed"
    )

    assert rows == found.to_dicts()


@given(
    st.lists(st.dictionaries(TEXTS, TEXTS | st.lists(st.integers()) | st.floats(allow_nan=False)), max_size=5),
    st.integers(1, 9),
    st.sampled_from([None, 1]),
)
@settings(deadline=None)
def test_elements_are_found_in_blocks_of_any_size(rows: list[Any], size: int, indent: int | None) -> None:
    """However the text of an array is cut into blocks, its elements are the same."""
    text = json.dumps(rows, indent=indent)
    blocks = [text[i : i + size] for i in range(0, len(text), size)]

    assert rows == [json.loads(element) for _, element in array_elements(blocks, "a.json", 10_000)]


def test_scalars_are_not_cut_at_the_end_of_a_block() -> None:
    """A number that goes on in the next block is one number."""
    assert [text for _, text in array_elements(["[1", "2,3", "4", "5", ",tr", "ue]"], "a", 100)] == [
        "12",
        "345",
        "true",
    ]


def test_lines_of_elements_are_counted() -> None:
    """An element's line is the one on which it begins."""
    blocks = ['[\n\n{"a":', "\n1}\r", '\n,{"b":2},\r{"c"', ":3}\n]\n"]

    assert [line for line, _ in array_elements(blocks, "a.json", 100)] == [3, 5, 6]


@FORMATS
def test_keys_come_together(tmp_path: Path, plugin: Json | Jsonl) -> None:
    """Columns are all keys seen so far; a missing key is null."""
    frames = read(plugin, tmp_path / "a", [{"a": "1"}, {"b": "2"}, {"c": "3"}], chunk_rows=2)

    assert [frame.columns for frame in frames] == [["a", "b"], ["a", "b", "c"]]
    assert frames[0].rows() == [("1", None), (None, "2")]
    assert frames[1].rows() == [(None, None, "3")]


@FORMATS
def test_whole_numbers_beside_fractions_are_fractions(tmp_path: Path, plugin: Json | Jsonl) -> None:
    """A column of numbers is Int64 until a fraction is among them."""
    frames = read(plugin, tmp_path / "a", [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 0.5}], chunk_rows=2)

    assert [pl.Int64, pl.Float64] == [frame["n"].dtype for frame in frames]
    assert frames[1]["n"].to_list() == [3.0, 0.5]


@FORMATS
def test_other_lists_and_objects_are_json(tmp_path: Path, plugin: Json | Jsonl) -> None:
    """What is no list of texts is kept as JSON text, from there to the end of the file."""
    rows = [{"label": []}, {"label": [[0, 5, "é"]]}, {"label": {"a": {"b": None}}}, {"label": ["x"]}]

    frames = read(plugin, tmp_path / "a", rows, chunk_rows=3)

    assert [v for frame in frames for v in frame["label"]] == ["[]", '[[0,5,"é"]]', '{"a":{"b":null}}', '["x"]']


@FORMATS
def test_a_key_that_is_always_null_has_no_type(tmp_path: Path, plugin: Json | Jsonl) -> None:
    """Null fits whatever a later chunk brings."""
    frames = read(plugin, tmp_path / "a", [{"a": None}, {"a": 1.5}], chunk_rows=1)

    assert pl.concat(frames, how="vertical_relaxed")["a"].to_list() == [None, 1.5]


@FORMATS
def test_texts_that_look_like_something_stay_text(tmp_path: Path, plugin: Json | Jsonl) -> None:
    """Text is text, whatever stands in it, the separators of lines included."""
    values = ["007", "NaN", "null", "[1]", "", " a ", "a\u2028b\x85c\r\nd", "\ufeff", "\U0001f4a9"]

    [frame] = read(plugin, tmp_path / "a", [{"v": value} for value in values])

    assert values == frame["v"].to_list()


def test_an_empty_array_is_a_file_without_rows(tmp_path: Path) -> None:
    """`[]` says that there is nothing, which is not an error."""
    path = tmp_path / "a.json"
    path.write_text(" [ ] \n")

    assert [chunk.frame.shape for chunk in Json().read(path)] == [(0, 0)]


def test_nothing_written_is_an_empty_array(tmp_path: Path) -> None:
    """A JSON file without rows is still JSON."""
    target = tmp_path / "a.json"

    with Json().writer(target) as writer:
        writer.write(pl.DataFrame({"a": []}))

    assert target.read_text() == "[]\n"


@FORMATS
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pl.DataFrame({"x": [1.0, float("nan")]}), "line 2, field 'x': nan is not JSON"),
        (pl.DataFrame({"x": ["a", "b\0"]}), "line 2, field 'x': a NUL character"),
        (pl.DataFrame({"x": [b"raw"]}), "field 'x': a column of type Binary"),
        (pl.DataFrame({"x": [2**63]}, schema={"x": pl.UInt64}), "line 1, field 'x': an integer beyond 64 bits"),
    ],
)
def test_what_json_cannot_say_is_not_written(
    tmp_path: Path, plugin: Json | Jsonl, frame: pl.DataFrame, reason: str
) -> None:
    """The message names row and column, and no file appears."""
    with pytest.raises(BadInputError, match=reason), plugin.writer(tmp_path / "a") as writer:
        writer.write(frame)

    assert list(tmp_path.iterdir()) == []


def test_dates_and_structs_are_written(tmp_path: Path) -> None:
    """Types beyond JSON become text, structs become objects."""
    frame = pl.DataFrame({"d": [dt.date(2024, 2, 29)], "s": [{"a": 1, "b": ["x"]}]})
    target = tmp_path / "a.jsonl"

    with Jsonl().writer(target) as writer:
        writer.write(frame)

    assert target.read_text() == '{"d":"2024-02-29","s":{"a":1,"b":["x"]}}\n'
