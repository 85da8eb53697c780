"""One small Spark for all tests, started when the first of them asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from labelmill.domain.partition import Resources
from labelmill.testing.engine import ManyRows, partitions_of

if TYPE_CHECKING:
    from pyspark import SparkContext

__all__ = ["local_spark"]


@pytest.fixture(scope="session")
def local_spark() -> Iterator[SparkContext]:
    """Spark on this machine, with two slots: engines without a master join it and leave it running."""
    pyspark = pytest.importorskip("pyspark")
    from labelmill.engines.spark import Spark

    with closing(Spark("local[2]")) as engine:
        list(engine.map(ManyRows(b""), partitions_of(1), Resources()))  # starts it
        yield pyspark.SparkContext.getOrCreate()
