"""How long it takes until something happens: the import, `--help`, the demo."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5


def report() -> str:
    """A Markdown table of medians."""
    bare, _ = _median([sys.executable, "-c", "pass"])
    ours, _ = _median([sys.executable, "-c", "import labelmill"])
    shell = [sys.executable, "-m", "labelmill.cli.main"]
    help_cpu, help_wall = _median([*shell, "--help"])
    with tempfile.TemporaryDirectory() as folder:
        demo_cpu, demo_wall = _median([*shell, "demo", "--no-open", "--out", f"{folder}/demo"], runs=1)
    return "\n".join(
        [
            "| what | CPU s | wall s | ratio |",
            "|---|---|---|---|",
            f"| bare Python | {bare:.3f} | | 1 |",
            f"| `import labelmill` | {ours:.3f} | | {ours / bare:.1f} × bare Python |",
            f"| `labelmill --help` | {help_cpu:.2f} | {help_wall:.2f} | |",
            f"| `labelmill demo` (one run) | {demo_cpu:.0f} | {demo_wall:.0f} | |",
        ]
    )


def _median(command: list[str], runs: int = RUNS) -> tuple[float, float]:
    """Median CPU and wall seconds of a command, its children included."""
    cpu, wall = [], []
    for _ in range(runs):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.monotonic() - started)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(cpu), statistics.median(wall)


if __name__ == "__main__":
    print(report())
