from __future__ import annotations

import resource
import subprocess
import sys

HEAVY = ("numpy", "pyarrow", "pandas", "polars", "torch", "sklearn", "scipy", "sqlalchemy", "fastapi", "click", "rich")


def test_import_loads_nothing_heavy() -> None:
    """`import labelmill` loads none of the heavy libraries."""
    code = f"import labelmill, sys; print([m for m in {HEAVY!r} if m in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"


def test_import_is_cheap() -> None:
    """`import labelmill` costs less than six times the CPU time of bare Python."""
    bare = min(_cpu_seconds("pass") for _ in range(5))
    ours = min(_cpu_seconds("import labelmill") for _ in range(5))

    assert ours < 6 * bare


def _cpu_seconds(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
