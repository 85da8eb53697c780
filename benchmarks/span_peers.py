"""The peers' side of benchmarks/structured_spans.py: runs in an environment that has no labelmill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PEERS = {"crowd-kit": ["crowd-kit==1.4.*"], "cleanlab": ["cleanlab==2.9.*"]}


def ask(peer: str, cache: Path, arrays: dict[str, Any]) -> dict[str, Any]:
    """Give a peer arrays, get its answer."""
    from aggregation import interpreter

    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out.json")
        np.savez(source, **arrays)
        command = [interpreter(peer, cache, PEERS), __file__, peer, str(source), str(target)]
        subprocess.run(command, check=True, env=os.environ | single)
        answer: dict[str, Any] = json.loads(target.read_text())
    return answer


def cleanlab(arrays: Any) -> dict[str, Any]:
    """Token scores of every vote under the shares of the others, and of the majority under those of all."""
    from cleanlab.token_classification.rank import get_label_quality_scores

    token, tag = arrays["token"], arrays["tag"]
    counts = np.zeros(tuple(arrays["shape"]))
    np.add.at(counts, (token, tag), 1.0)
    others = counts[token]
    others[np.arange(len(token)), tag] -= 1.0

    def scores(labels: Any, votes: Any) -> list[float]:
        shares = (votes + 0.1) / (votes + 0.1).sum(axis=1, keepdims=True)
        _, each = get_label_quality_scores([labels.tolist()], [shares])
        return [float(score) for score in each[0]]

    return {"votes": scores(tag, others), "consensus": scores(counts.argmax(axis=1), counts)}


def crowd_kit(arrays: Any) -> dict[str, Any]:
    """ROVER over words."""
    import pandas as pd
    from crowdkit.aggregation import ROVER

    frame = pd.DataFrame({name: arrays[name] for name in ("task", "worker", "text")})
    started = time.process_time()
    model = ROVER(tokenizer=lambda text: text.split(" "), detokenizer=" ".join, silent=True)
    found = model.fit_predict(frame)
    return {"texts": [found.get(i, "") for i in range(int(arrays["n"]))], "seconds": time.process_time() - started}


if __name__ == "__main__":
    result = {"cleanlab": cleanlab, "crowd-kit": crowd_kit}[sys.argv[1]](np.load(sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(result))
