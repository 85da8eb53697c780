from __future__ import annotations

from pathlib import Path

import pytest

from labelmill.errors import UsageError
from labelmill.formats._endings import format_name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.csv", "csv"),
        ("A.CSV", "csv"),
        ("a.b.csv.gz", "csv"),
        ("a.tsv.zst", "tsv"),
        ("a.json", "json"),
        ("a.json.gz", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson.ZST", "jsonl"),
        ("a.parquet", "parquet"),
        ("releases/", "folders"),
    ],
)
def test_the_ending_tells_the_format(path: str, expected: str) -> None:
    """Packed or not, upper or lower case."""
    assert expected == format_name(path)


def test_a_folder_is_class_folders(tmp_path: Path) -> None:
    """A folder that exists needs no ending."""
    assert format_name(tmp_path) == "folders"


@pytest.mark.parametrize("path", ["a.xlsx", "a", "a.gz", "a.parquet.gz", "csv", "a.csv.zip"])
def test_an_unknown_ending_lists_the_known(path: str) -> None:
    """The message names the path and every ending."""
    with pytest.raises(UsageError) as raised:
        format_name(path)

    assert path in str(raised.value)
    assert ".csv, .json, .jsonl, .ndjson, .parquet, .tsv" in str(raised.value)
