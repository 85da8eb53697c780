"""Files that cannot be taken, at every command that reads one."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import Shell
from tests.journeys.refusals import refused

READERS = {
    "items into a project": ("id,text", ["import", "bad.csv", "-p", "mails"]),
    "answers into a project": ("item,label", ["import", "bad.csv", "--votes-by", "ann", "-p", "mails"]),
    "votes to labels": ("item,annotator,label", ["aggregate", "--votes", "bad.csv", "--out", "out.csv"]),
    "items to votes": (
        "id,text",
        ["annotate", "--items", "bad.csv", "--code", "mails/rules.py", "--out", "out.csv"],
    ),
}
"""Command -> the header it expects, and its words."""


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, shell: Shell, project: Path) -> tuple[str, list[str | Path]]:
    """A header and a command that reads `bad.csv`, in a project that has the items m0 to m119."""
    assert shell("import", project / "items.csv", "-p", project).status == 0
    header, command = READERS[request.param]
    return header, list(command)


def row(header: str, last: str | None = None) -> str:
    """A row that fits the header; its last field as given."""
    good = {"id": "new", "item": "m1", "text": "hello", "annotator": "ann", "label": "ham"}
    fields = [good[name] for name in header.split(",")]
    return ",".join(fields if last is None else [*fields[:-1], last])


def test_an_empty_file(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A file without a byte is refused, not taken for one without rows."""
    Path("bad.csv").write_bytes(b"")

    refused(shell, reader[1], 1, "bad.csv, line 1", "the file is empty", "a row of column names")


def test_a_header_and_no_rows(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A header alone is a table of no rows: done, and nothing changes but the empty output."""
    Path("bad.csv").write_text(f"{reader[0]}\n")

    answer = shell(*reader[1], "--json")

    assert answer.status == 0, answer.err
    assert answer.json["items"] == 0
    if "--out" in reader[1]:
        assert pl.read_csv("out.csv").height == 0


def test_no_header(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """Without a header the columns are missing; the message lists what the first row holds."""
    Path("bad.csv").write_text("m1,x,y\nm2,x,y\n")

    refused(shell, reader[1], 1, "bad.csv, line 1, field", "no such column", "m1, x, y", "first row")


def test_a_misspelled_column(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A column whose name is nearly right is named."""
    header = reader[0].replace("label", "lable").replace("text", "txet")
    Path("bad.csv").write_text(f"{header}\n")

    refused(shell, reader[1], 1, "no such column: did you mean", repr(header.rpartition(",")[2]))


def test_a_column_twice(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """Two columns of one name are refused."""
    last = reader[0].rpartition(",")[2]
    Path("bad.csv").write_text(f"{reader[0]},{last}\n")

    refused(shell, reader[1], 1, "bad.csv, line 1", repr(last), "has the name of an earlier one")


def test_ragged_rows(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """Rows with too few and too many fields are named by line, with how many they have."""
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0])}\nm2\n{row(reader[0])},more\n")

    refused(shell, reader[1], 1, "bad.csv, line 3: found 1 field", "bad.csv, line 4: found", "--on-bad-rows skip")


def test_skipped_rows_are_counted_and_listed(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """With `--on-bad-rows skip` the good rows are taken and the bad ones listed."""
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0])}\nm2\n{row(reader[0])},more\n")

    told = shell(*reader[1], "--on-bad-rows", "skip")
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0]).replace('new', 'newer')}\nm2\n")
    data = shell(*reader[1], "--on-bad-rows", "skip", "--json").json

    assert told.status == 0, told.err
    assert "2 bad rows left out" in told.out
    assert "bad.csv, line 3: found 1 field" in told.out
    assert "bad.csv, line 4: found" in told.out
    assert [True] == [text.startswith("bad.csv, line 3: found 1 field") for text in data["bad_rows"]]


def test_an_unclosed_quote(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A quote that swallows the rest of the file is named by the line that opens it."""
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0])}\n{row(reader[0], chr(34) + 'ham')}\n{row(reader[0])}\n")

    refused(shell, reader[1], 1, "bad.csv, line 3", "quote", "not closed")


def test_another_encoding(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """Bytes that are not UTF-8 are named by line and offset, with the flag that helps; with the flag they are read."""
    Path("bad.csv").write_bytes(f"{reader[0]}\n{row(reader[0], 'café')}\n".encode("cp1252"))

    refused(shell, reader[1], 1, "bad.csv, line 2", "byte 0xe9", "not valid UTF-8", "--encoding cp1252")
    declared = shell(*reader[1], "--encoding", "cp1252")

    assert "UTF-8" not in declared.err
    assert declared.status == 0 or "unknown class 'café'" in declared.err


def test_an_unknown_encoding(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """An encoding that does not exist is wrong use."""
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0])}\n")

    refused(shell, [*reader[1], "--encoding", "cp12525"], 2, "unknown encoding 'cp12525'", "cp1252")


def test_a_nul(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A NUL is no text, and the message has no NUL either."""
    Path("bad.csv").write_text(f"{reader[0]}\n{row(reader[0], 'a' + chr(0))}\n")

    answer = refused(shell, reader[1], 1, "bad.csv, line 2, field", "NUL")

    assert "\0" not in answer.err


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet", "csv.gz", "csv.zst"])
def test_content_that_is_not_what_the_ending_says(
    reader: tuple[str, list[str | Path]], shell: Shell, ending: str
) -> None:
    """Rubbish under any ending is refused with the file's name."""
    Path(f"bad.{ending}").write_bytes(b"rubbish\n")
    command = [f"bad.{ending}" if word == "bad.csv" else word for word in reader[1]]

    refused(shell, command, 1, f"bad.{ending}")


def test_lists_where_texts_belong(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A column of lists is no column of texts."""
    first = reader[0].partition(",")[0]
    fields = dict.fromkeys(reader[0].split(","), '"m1"') | {first: '["m1"]'}
    Path("bad.jsonl").write_text("{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}\n")
    command: list[str | Path] = ["bad.jsonl" if word == "bad.csv" else word for word in reader[1]]

    refused(shell, command, 1, "bad.jsonl, line 1", repr(first), "expected a text in this column, found a list")


def test_a_missing_file(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """A file that is not there is named."""
    refused(shell, reader[1], 1, "bad.csv: no such file")


def test_an_unknown_ending(reader: tuple[str, list[str | Path]], shell: Shell) -> None:
    """An ending that no format claims is wrong use; the known ones are listed."""
    Path("bad.doc").write_text("x")
    command: list[str | Path] = ["bad.doc" if word == "bad.csv" else word for word in reader[1]]

    refused(shell, command, 2, "bad.doc", "no format is known by this ending", ".csv", ".parquet")


def test_a_line_of_100_megabytes(shell: Shell, project: Path) -> None:
    """A line without end is a bad row, told quickly and without holding the file."""
    with Path("bad.csv").open("w") as file:
        file.write("id,text\nlong,")
        file.writelines("x" * 1_000_000 for _ in range(100))
        file.write("\nshort,hello\n")
    began = time.monotonic()

    refused(shell, ["import", "bad.csv", "-p", project], 1, "bad.csv, line 2: the record is longer than")
    skipped = shell("import", "bad.csv", "--on-bad-rows", "skip", "-p", project, "--json").json

    assert (skipped["items"], len(skipped["bad_rows"])) == (1, 1)
    assert time.monotonic() - began < 20
    Path("bad.csv").unlink()


def test_an_id_twice_in_a_file(shell: Shell, project: Path) -> None:
    """The second row of an id is a bad row, even where items of the project are passed over."""
    Path("twice.csv").write_text("id,text\na,one\nb,two\na,three\n")

    for more in ([], ["--existing", "skip"]):
        command: list[str | Path] = ["import", "twice.csv", "-p", project, *more]
        refused(shell, command, 1, "twice.csv, line 4, field 'id'", "'a' stands further up", "--on-bad-rows skip")


def test_an_id_twice_between_files(shell: Shell, project: Path) -> None:
    """The same holds without a project."""
    Path("twice.csv").write_text("id,text\na,one\na,three\n")
    command: list[str | Path] = ["annotate", "--items", "twice.csv", "--code", project / "rules.py", "--out", "o.csv"]

    refused(shell, command, 1, "twice.csv, line 3, field 'id'", "'a' stands further up")


def test_items_that_are_in_the_project(shell: Shell, project: Path) -> None:
    """Importing a file again is refused with the flag that helps; with it nothing changes."""
    shell("import", project / "items.csv", "-p", project)

    command: list[str | Path] = ["import", project / "items.csv", "-p", project]
    refused(shell, command, 1, "'m0' is in the project already", "and 115 more bad rows", "--existing skip")
    again = shell(*command, "--existing", "skip", "--json").json

    assert (again["items"], again["existing"]) == (0, 120)


def test_an_item_without_id_or_text(shell: Shell, project: Path) -> None:
    """Every item has an id and a text."""
    Path("holes.jsonl").write_text('{"id": "a", "text": null}\n{"id": "", "text": "x"}\n{"id": null, "text": "x"}\n')
    words = ("line 1, field 'text': is missing", "line 2, field 'id': is missing", "line 3, field 'id': is missing")

    refused(shell, ["import", "holes.jsonl", "-p", project], 1, *words)
    code: list[str | Path] = ["--code", project / "rules.py", "--out", "o.csv"]
    refused(shell, ["annotate", "--items", "holes.jsonl", *code], 1, *words)


def test_labels_of_items_are_checked_before_items_are_taken(shell: Shell, project: Path) -> None:
    """`--labels-by` with a label that is none takes neither the item nor the vote."""
    Path("labelled.csv").write_text("id,text,label\na,one,ham\nb,two,hamm\n")
    command: list[str | Path] = ["import", "labelled.csv", "--labels-by", "ann", "-p", project]

    refused(shell, command, 1, "labelled.csv, line 3, field 'label'", "unknown class 'hamm': did you mean 'ham'?")
    skipped = shell(*command, "--on-bad-rows", "skip", "--json").json

    assert (skipped["items"], skipped["votes"], len(skipped["bad_rows"])) == (1, 1, 1)


def test_labels_by_needs_the_column(shell: Shell, project: Path) -> None:
    """`--labels-by` without a column of labels is refused."""
    command: list[str | Path] = ["import", project / "items.csv", "--labels-by", "ann", "-p", project]

    refused(shell, command, 1, "field 'label': no such column")
