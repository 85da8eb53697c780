"""One small Ray cluster for all tests, started when the first of them asks."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator

import pytest
from tests.object_storage import S3

__all__ = ["local_ray"]

N_CORES = 3
"""Two for work without accelerators and one for the workers of the accelerator; Ray takes our word for both."""


@pytest.fixture(scope="session")
def local_ray(s3_server: S3) -> Iterator[None]:
    """Connects this process to a cluster on this machine, so that engines join it and leave it running.

    Its workers reach the object store of the tests.
    """
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # noqa: TID251 -- Ray reads it and nothing else
    with s3_server.reachable(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, about its future defaults
        ray.init(
            "local",
            num_cpus=N_CORES,
            num_gpus=1,
            include_dashboard=False,
            object_store_memory=80_000_000,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    yield
    ray.shutdown()
