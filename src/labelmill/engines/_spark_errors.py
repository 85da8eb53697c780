"""What Spark's failures mean, in words that say what to do."""

from __future__ import annotations

import re
from typing import Final

from labelmill.errors import AnnotationError

__all__ = ["first_line", "told"]

KEPT: Final = "what is finished is kept: run the same command again"

# The first that occurs in Spark's message decides; the order is from the cause to its consequences.
_CURES: Final = (
    (
        r"PYTHON_VERSION_MISMATCH|Python in worker has different version",
        "the workers of Spark have another version of Python than the driver: give them the same one, by "
        "PYSPARK_PYTHON or spark.pyspark.python, then run the same command again",
    ),
    (
        r"No module named '?labelmill",
        "labelmill is not installed where Spark runs its workers: install the same version on every node (or ship an "
        "environment that has it) and point PYSPARK_PYTHON or spark.pyspark.python to that interpreter",
    ),
    (
        r"Cannot run program|error=2, No such file|Python executable .* not found",
        "Spark found no Python on a node: set PYSPARK_PYTHON or spark.pyspark.python to an interpreter that exists on "
        "every node and has labelmill",
    ),
    (
        r"SparkContext (was|has been|is) (shut ?down|stopped)|stopped SparkContext|Connection refused|Answer from Java",
        f"the Spark session ended while it worked; {KEPT}",
    ),
    (
        r"(?i)python worker exited unexpectedly|ExecutorLostFailure|executor .* exited|heartbeat timed out",
        "Spark lost the worker of a partition as often as it tries; perhaps it wanted more memory than an executor has "
        f"(spark.executor.memoryOverhead, or fewer workers); {KEPT}",
    ),
)


def told(error: BaseException) -> AnnotationError:
    """The error of a Spark job as ours."""
    message = _message(error)
    line = first_line(error)
    for pattern, cure in _CURES:
        if re.search(pattern, message):
            return AnnotationError(f"{cure}\nSpark said: {line}")
    return AnnotationError(f"Spark gave up: {line}; {KEPT}")


def first_line(error: BaseException) -> str:
    """Its message without the stack of Java frames."""
    lines = [line.strip() for line in _message(error).splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(r"at |\.\.\. \d+ more|Driver stacktrace", line)]
    return " ".join(telling[:1])[:600] or type(error).__name__


def _message(error: BaseException) -> str:
    """What Java said, if Java said it: py4j's own text repeats it with all frames."""
    try:
        return str(error.java_exception.getMessage())  # type: ignore[attr-defined]  # py4j's, untyped
    except Exception:  # noqa: BLE001 -- another kind of error, or the JVM is gone
        return str(error)
