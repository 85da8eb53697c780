"""A file appears whole or not at all, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from labelmill import registry
from labelmill.errors import StorageError, UsageError
from labelmill.formats.csv import Csv

FILES = [name for name in registry.names("format") if name != "folders"]
FRAME = pl.DataFrame({"id": ["1"], "text": ["a"], "label": ["ham"]})


@pytest.mark.parametrize("name", FILES)
def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path: Path, name: str) -> None:
    """A failure leaves the old content; a success replaces it."""
    target = tmp_path / "out"
    target.write_bytes(b"old")
    plugin = registry.find("format", name)()

    with suppress(RuntimeError), plugin.writer(target) as writer:
        writer.write(FRAME)
        raise RuntimeError("no power")

    assert target.read_bytes() == b"old"
    with plugin.writer(target) as writer:
        writer.write(FRAME)
        assert target.read_bytes() == b"old"
    assert target.read_bytes() != b"old"
    assert [target] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", registry.names("format"))
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_full_disk_is_an_error_with_path_and_remedy(tmp_path: Path, name: str, ending: str) -> None:
    """When no more can be written, the message says so and nothing is left."""
    script = f"""
import random, resource, sys
from pathlib import Path
import polars as pl
from labelmill import registry
from labelmill.errors import StorageError
rng = random.Random(1)
texts = ["".join(rng.choices("abcdefghijklmnop", k=20_000)) for _ in range(20)]
frame = pl.DataFrame({{"id": [str(i) for i in range(20)], "text": texts, "label": ["ham"] * 20}})
if {name!r} == "folders":
    frame = frame.with_columns(pl.lit("x" * 400_000).alias("text"))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with registry.find("format", {name!r})().writer(Path({str(tmp_path / "out")!r} + {ending!r})) as writer:
        writer.write(frame)
        writer.write(frame)
except StorageError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)

    assert found.stderr == ""
    assert str(tmp_path / "out") in found.stdout
    assert "cannot be written: File too large" in found.stdout
    assert "Free some space and run the same command again" in found.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
@pytest.mark.parametrize("name", registry.names("format"))
def test_a_read_only_folder_is_named(tmp_path: Path, name: str) -> None:
    """The message names the path and says what to do."""
    tmp_path.chmod(0o500)

    writer = registry.find("format", name)().writer(tmp_path / "out")

    with pytest.raises(StorageError, match="Choose another folder or change its permissions"), writer:
        writer.write(FRAME)


@pytest.mark.parametrize("name", registry.names("format"))
def test_a_file_is_no_folder(tmp_path: Path, name: str) -> None:
    """Writing below a file is refused."""
    (tmp_path / "file").write_bytes(b"")

    with (
        pytest.raises(StorageError, match="file"),
        registry.find("format", name)().writer(tmp_path / "file" / "out") as writer,
    ):
        writer.write(FRAME)


@pytest.mark.parametrize("name", registry.names("format"))
def test_a_folder_is_not_overwritten(tmp_path: Path, name: str) -> None:
    """A folder under the target's name stays."""
    (tmp_path / "out").mkdir()

    with pytest.raises(StorageError, match="is a folder"), registry.find("format", name)().writer(tmp_path / "out"):
        pass


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """A file for others to read is as open as the umask says."""
    before = os.umask(0o022)
    try:
        with Csv().writer(tmp_path / "a.csv") as writer:
            writer.write(FRAME)
    finally:
        os.umask(before)

    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", registry.names("format"))
def test_writing_needs_the_block(tmp_path: Path, name: str) -> None:
    """Without `with`, nothing would ever be published: it is a wrong call."""
    with pytest.raises(UsageError, match="write inside `with"):
        registry.find("format", name)().writer(tmp_path / "out").write(FRAME)
