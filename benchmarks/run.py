"""All benchmarks, one after the other, into RESULTS.md beside this file, with the machine they ran on.

    make benchmarks

Each peer gets a virtual environment of its own, in a cache folder; both sides run in turn. Quote ratios and medians:
absolute times are this machine's.
"""

from __future__ import annotations

import importlib
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PARTS = (
    ("labeling_functions", "Labeling functions, against Snorkel"),
    ("aggregation", "Label models, against crowd-kit and Snorkel"),
    ("sweeps", "Label models at a million votes, and votes one by one"),
    ("kernels", "The sweep over votes: numpy, numba, C"),
    ("agreement", "Krippendorff's alpha, against the `krippendorff` package"),
    ("label_errors", "Label errors, against cleanlab"),
    ("vote_quality", "Quality of votes, against CROWDLAB"),
    ("beside_people", "A classifier beside people"),
    ("certificate_economy", "Answers until a certificate"),
    ("label_efficiency", "Answers that heads and query strategies need"),
    ("checks", "Checks of annotators: false alarms, power, real crowds"),
    ("structured_spans", "Spans and texts"),
    ("structured_boxes", "Boxes, polygons and points"),
    ("structured_masks", "Masks, against crowd-kit"),
    ("model_annotators", "Models that vote: a detector, voice activity, forced alignment"),
    ("structured_others", "Segments, ratings, numbers, choices, rankings and comparisons"),
    ("scale", "Two million texts by ten rules, and kill -9"),
    ("selection", "Query strategies, against scikit-activeml and ALiPy"),
    ("start", "Start-up and the demo"),
    ("engines", "Engines, against engines that move rows"),
    ("kills", "kill -9 on Ray and Spark clusters"),
    ("simulate", "Cost model: predicted, measured, extrapolated"),
    ("browser", "The labelling page in a browser"),
    ("people_queue", "The queue that people work from"),
    ("server", "Labelling through the server"),
    ("serving", "Serving models: micro-batches"),
    ("encoders", "Encoders of texts, against sentence-transformers"),
    ("browser_engines", "Shapes, spans and sounds in the browser"),
)
"""Module in this folder with `report() -> str`, and its heading."""


def main() -> None:
    """Run what is named on the command line, or everything; parts that are not run keep their old results."""
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    wanted = sys.argv[1:] or [name for name, _ in PARTS]
    target = here / "RESULTS.md"
    sections = _read(target)
    for name, _ in PARTS:
        if name in wanted:
            sections[name] = f"{_machine()}\n\n{importlib.import_module(name).report().strip()}"
            _write(target, sections)


def _machine() -> str:
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=False).stdout.strip()
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    return f"*{when}, {cpu}, {cores} cores, {platform.system()}, Python {platform.python_version()}.*"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _read(target: Path) -> dict[str, str]:
    """The sections that are there, by name."""
    if not target.exists():
        return {}
    sections = {}
    titles = {title: name for name, title in PARTS}
    for part in target.read_text().split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        if title in titles:
            sections[titles[title]] = text.strip()
    return sections


def _write(target: Path, sections: dict[str, str]) -> None:
    text = "# Results\n\nMade by `make benchmarks`; each section names the machine it ran on. Quote ratios.\n"
    for name, title in PARTS:
        if name in sections:
            text += f"\n## {title}\n\n{sections[name]}\n"
    target.write_text(text)


if __name__ == "__main__":
    main()
