"""Reading and writing hold a few rows at a time, whatever the size of the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labelmill import registry

MB = 2**20
SCRIPT = """
import resource, sys
from pathlib import Path
import polars as pl
from labelmill import registry

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

plugin, path, n = registry.find("format", sys.argv[1])(), Path(sys.argv[2]), int(sys.argv[3])
ids = [str(i) for i in range(1000)]
before = peak()
with plugin.writer(path) as writer:
    for i in range(n):
        writer.write(pl.DataFrame({"id": ids, "text": [f"{i} {j} " + "text, " * 30 for j in ids]}))
height = 0
for chunk in plugin.read(path, chunk_rows=5000):
    height += chunk.frame.height
assert height == n * 1000, height
print(peak() - before)
"""


@pytest.mark.parametrize("name", [name for name in registry.names("format") if name != "folders"])
@pytest.mark.parametrize(
    ("n_thousands", "limit"), [(150, 90), pytest.param(5000, 300, marks=pytest.mark.slow)], ids=["30 MB", "1 GB"]
)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str, n_thousands: int, limit: int) -> None:
    """Rows made one thousand at a time, written, and read again: the peak stays far below the file."""
    command = [sys.executable, "-c", SCRIPT, name, str(tmp_path / "rows"), str(n_thousands)]

    found = subprocess.run(command, capture_output=True, text=True, check=True, env={"POLARS_MAX_THREADS": "1"})

    assert int(found.stdout) < limit
