from __future__ import annotations

import codecs
import tomllib
from pathlib import Path

import pytest

from labelmill.errors import ProjectError, StorageError
from labelmill.pipeline.project_file import changed, prepared

FILE = b"""\
# Ours, by hand.
[project]
name = "mails"      # as the client says

[schema]
classes = [
    "ham",   # wanted
    "spam",
]
"""


def test_what_a_person_wrote_stays() -> None:
    """A changed value leaves comments, order and spaces of everything else as they were."""
    new = changed(FILE, {"project.name": "letters"})

    assert new == FILE.replace(b'"mails"', b'"letters"')


def test_new_sections_and_texts_of_many_lines() -> None:
    """A section that was not there is added; what is written is read again as it was, quotes and backslashes too."""
    text = 'line\n"""quoted""" \\ and é\n'

    new = changed(FILE, {"people.overlap": 2, "schema.guidelines": text, "schema.classes": ["a", "b" * 120]})

    told = tomllib.loads(new.decode())
    assert told["people"] == {"overlap": 2}
    assert told["schema"] == {"classes": ["a", "b" * 120], "guidelines": text}
    assert new.startswith(b"# Ours, by hand.\n")


def test_tables_within_a_section_stay_apart() -> None:
    """A new setting of a section goes before the tables in it, and sections on one line are changed there."""
    nested = b'[schema]\nclasses = ["a"]\n\n[[schema.attributes]]\nname = "occluded"\n'
    inline = b'schema = { classes = ["a"] }\n'
    dotted = b'schema.classes = ["a"]\n'

    told = [tomllib.loads(changed(one, {"schema.version": 2}).decode()) for one in (nested, inline, dotted)]

    assert told[0] == {"schema": {"classes": ["a"], "version": 2, "attributes": [{"name": "occluded"}]}}
    assert told[1:] == [{"schema": {"classes": ["a"], "version": 2}}] * 2


def test_the_mark_of_editors_stays() -> None:
    """A file of Windows keeps its byte-order mark and its ends of lines."""
    content = codecs.BOM_UTF8 + FILE.replace(b"\n", b"\r\n")

    new = changed(content, {"project.name": "letters"})

    assert new == content.replace(b'"mails"', b'"letters"')


def test_what_is_no_section_is_refused() -> None:
    """Where a section is no table of its own, the error says how to write it."""
    with pytest.raises(ProjectError, match=r"\[project\] on a line of its own"):
        changed(b"project = 3\n", {"project.name": "x"})


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """Nothing but the last step touches the file, its rights stay, and nothing is left beside it."""
    path = tmp_path / "labelmill.toml"
    path.write_bytes(FILE)
    path.chmod(0o640)

    with prepared(tmp_path, b"new"):
        assert path.read_bytes() == FILE
    with prepared(tmp_path, b"new") as publish:
        publish()

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["labelmill.toml"]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """A file that cannot be written is an error of storage that names the place."""
    with pytest.raises(StorageError, match="cannot be written"), prepared(tmp_path / "gone", b"x"):
        pass
