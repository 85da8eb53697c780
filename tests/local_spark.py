"""One small Spark for all tests, started when the first of them asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.object_storage import S3

from labelmill.domain.partition import Resources
from labelmill.testing.engine import ManyRows, partitions_of

if TYPE_CHECKING:
    from pyspark import SparkContext

__all__ = ["local_spark"]


@pytest.fixture(scope="session")
def local_spark(s3_server: S3) -> Iterator[SparkContext]:
    """Spark on this machine, with two slots: engines without a master join it and leave it running.

    Its workers reach the object store of the tests.
    """
    pyspark = pytest.importorskip("pyspark")
    from labelmill.engines.spark import Spark

    with closing(Spark("local[2]")) as engine:
        with s3_server.reachable():
            list(engine.map(ManyRows(b""), partitions_of(1), Resources()))  # starts it
        yield pyspark.SparkContext.getOrCreate()
