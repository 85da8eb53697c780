"""One sweep of expectation maximisation over a million votes: numpy and SciPy, numba, C.

    python benchmarks/kernels.py [--repeats 9] [--cache FOLDER]

All do the same: for each item the sum of what its votes say, a softmax with its largest taken off, and the posterior
added to the counts of each vote. C is compiled here with `cc`, for any x86-64 and for this machine; numba runs in a
virtual environment of its own. Nanoseconds of CPU for each vote, the best of the repeats: on a machine with other work
the best is the least disturbed.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aggregation import interpreter

SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
STATES = (4, 20)
N_ITEMS, N_COLUMNS, VOTES_EACH = 200_000, 4000, 5
SOURCE = """
#include <math.h>
#include <stdint.h>
double sweep(int64_t n_items, int64_t n_states, const int32_t *starts, const int32_t *columns, const double *per_vote,
             const double *log_balance, double *counts, double *items) {
    double q[64], log_likelihood = 0;
    for (int64_t i = 0; i < n_items; i++) {
        for (int64_t s = 0; s < n_states; s++) q[s] = log_balance[s];
        for (int32_t v = starts[i]; v < starts[i + 1]; v++) {
            const double *said = per_vote + (int64_t)columns[v] * n_states;
            for (int64_t s = 0; s < n_states; s++) q[s] += said[s];
        }
        double top = q[0], total = 0;
        for (int64_t s = 1; s < n_states; s++) top = q[s] > top ? q[s] : top;
        for (int64_t s = 0; s < n_states; s++) q[s] = exp(q[s] - top);
        for (int64_t s = 0; s < n_states; s++) total += q[s];
        for (int64_t s = 0; s < n_states; s++) { q[s] /= total; items[s] += q[s]; }
        log_likelihood += log(total) + top;
        for (int32_t v = starts[i]; v < starts[i + 1]; v++) {
            double *count = counts + (int64_t)columns[v] * n_states;
            for (int64_t s = 0; s < n_states; s++) count[s] += q[s];
        }
    }
    return log_likelihood;
}
"""


def main(arguments: list[str] | None = None) -> str:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    parser.add_argument("--worker", metavar="KERNEL", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        print(json.dumps(work(options.worker, options.repeats)))
        return ""
    lines = ["| | 4 states, ns/vote | 20 states, ns/vote | first call, s |", "|---|--:|--:|--:|"]
    for kernel, (title, _) in KERNELS.items():
        if kernel.startswith("c_") and not shutil.which("cc"):
            continue
        system = "numba" if kernel == "numba" else "labelmill"
        python = interpreter(system, options.cache, {"numba": ["numba==0.68.*"]})
        command = [python, __file__, "--repeats", str(options.repeats), "--worker", kernel]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | SINGLE)
        four, twenty, first = json.loads(done.stdout.splitlines()[-1])
        lines.append(f"| {title} | {four:.1f} | {twenty:.1f} | {first:.2f} |")
    table = "\n".join(lines)
    print(table)
    return table


def report() -> str:
    """The table, as Markdown."""
    return main([])


def work(kernel: str, repeats: int) -> tuple[float, ...]:
    """Best nanoseconds a vote for each number of states, and the CPU seconds until the kernel is ready."""
    started = time.process_time()
    make = KERNELS[kernel][1](kernel)
    first, best = 0.0, []
    for n_states in STATES:
        votes, per_vote = made_up(n_states)
        ready = time.process_time() if best else started
        run = make(*votes, per_vote)
        run()
        first = max(first, 0.0 if best else time.process_time() - ready)
        best.append(min(_clocked(run) for _ in range(repeats)) / (N_ITEMS * VOTES_EACH) * 1e9)
    return (*best, first)


def _clocked(run: Callable[[], Any]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def made_up(n_states: int) -> tuple[tuple[Any, Any], Any]:
    """Starts of the items, columns of their votes, and what each column says of each state."""
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(N_COLUMNS, size=(N_ITEMS, VOTES_EACH), dtype=np.int32), axis=1).ravel()
    starts = np.arange(0, len(columns) + 1, VOTES_EACH, dtype=np.int32)
    return (starts, columns), np.log(rng.dirichlet(np.ones(n_states), size=N_COLUMNS))


def make_ours(kernel: str) -> Callable[..., Callable[[], Any]]:
    from labelmill.aggregation._mixture import Mixture
    from labelmill.aggregation._tally import Tally
    from labelmill.domain.vote_table import VoteTable

    def make(starts: Any, columns: Any, per_vote: Any) -> Callable[[], Any]:
        n_states, item = per_vote.shape[1], np.repeat(np.arange(N_ITEMS), np.diff(starts))
        names = [str(j) for j in range(N_COLUMNS // 4)]
        tally = Tally(VoteTable(range(N_ITEMS), names, list("abcd"), item, columns // 4, columns % 4))
        log_balance = np.full(n_states, -np.log(n_states))
        mixture = Mixture(log_balance, per_vote.reshape(len(names), 4, n_states), np.arange(n_states))
        if kernel == "blocks":
            return lambda: mixture.expected(tally)

        def whole() -> Any:
            states, log_normaliser = mixture.states(tally)
            return tally.counts(states), tally.state_counts(states), tally.total(log_normaliser)

        return whole

    return make


def make_numba(_kernel: str) -> Callable[..., Callable[[], Any]]:
    import numba

    @numba.njit(cache=False)
    def sweep(starts: Any, columns: Any, per_vote: Any, log_balance: Any, counts: Any, items: Any) -> Any:
        n_states, log_likelihood = len(log_balance), 0.0
        q = np.empty(n_states)
        for i in range(len(starts) - 1):
            for s in range(n_states):
                q[s] = log_balance[s]
            for v in range(starts[i], starts[i + 1]):
                for s in range(n_states):
                    q[s] += per_vote[columns[v], s]
            top, total = q[0], 0.0
            for s in range(1, n_states):
                top = max(top, q[s])
            for s in range(n_states):
                q[s] = np.exp(q[s] - top)
                total += q[s]
            for s in range(n_states):
                q[s] /= total
                items[s] += q[s]
            log_likelihood += np.log(total) + top
            for v in range(starts[i], starts[i + 1]):
                for s in range(n_states):
                    counts[columns[v], s] += q[s]
        return log_likelihood

    return lambda *votes: lambda: sweep(*votes, *_results(votes[2]))


def make_c(kernel: str) -> Callable[..., Callable[[], Any]]:
    folder = tempfile.mkdtemp()
    Path(folder, "sweep.c").write_text(SOURCE)
    target = ["-march=native"] if kernel == "c_native" else []
    subprocess.run(
        ["cc", "-O3", *target, "-shared", "-fPIC", "sweep.c", "-o", "sweep.so", "-lm"], check=True, cwd=folder
    )
    sweep = ctypes.CDLL(f"{folder}/sweep.so").sweep
    sweep.restype = ctypes.c_double
    shutil.rmtree(folder)

    def make(starts: Any, columns: Any, per_vote: Any) -> Callable[[], Any]:
        def run() -> Any:
            arrays = (starts, columns, per_vote, *_results(per_vote))
            pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
            return sweep(ctypes.c_int64(N_ITEMS), ctypes.c_int64(per_vote.shape[1]), *pointers)

        return run

    return make


def _results(per_vote: Any) -> tuple[Any, Any, Any]:
    n_states = per_vote.shape[1]
    return np.full(n_states, -np.log(n_states)), np.zeros(per_vote.shape), np.zeros(n_states)


KERNELS: dict[str, tuple[str, Callable[[str], Callable[..., Callable[[], Any]]]]] = {
    "blocks": ("numpy and SciPy, in blocks that stay in the cache (labelmill)", make_ours),
    "whole": ("numpy and SciPy, the whole table at each step", make_ours),
    "numba": ("numba 0.68", make_numba),
    "c_any": ("C, `-O3`, any x86-64", make_c),
    "c_native": ("C, `-O3 -march=native`", make_c),
}


if __name__ == "__main__":
    main()
