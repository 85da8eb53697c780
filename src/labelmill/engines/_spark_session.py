"""Joins the Spark session there is, or starts one: quietly, and with errors that say what to do."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from pyspark import SparkConf, SparkContext  # noqa: TID253 -- this file is about it
from pyspark.java_gateway import launch_gateway  # noqa: TID253 -- likewise
from pyspark.sql import is_remote  # noqa: TID253 -- likewise

from labelmill.engines._spark_errors import first_line
from labelmill.errors import AnnotationError, UsageError

__all__ = ["Session", "is_local", "open_session"]

logger = logging.getLogger(__name__)

OLDEST_JAVA: Final = 17
"""What Spark 4 needs."""

CONNECT_SECONDS: Final = 5.0
"""How long a master may take to accept a connection. Spark itself would try for a minute."""

MOST_FAILURES: Final = 4
"""How often a task is tried, on a cluster by default; on one machine Spark would try it once."""

_LIGHT: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that only hands out names of partitions lives too short for a compiler that takes its time."""

_QUIET: Final = """\
rootLogger.level = error
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n%ex{short}
"""

_jvm_output: IO[bytes] | None = None
"""What the JVM we started says: shown when it cannot start, else nobody's concern."""


class Session(NamedTuple):
    """A running Spark, and whether it is ours to stop."""

    context: SparkContext
    is_ours: bool

    def close(self) -> None:
        """Stop it if it is ours."""
        if self.is_ours:
            self.context.stop()


def open_session(master: str | None, n_cores: int) -> Session:
    """The active session if there is one (and no other master is asked for), else a new one.

    Parameters
    ----------
    master : str or None
        `local[2]`, `spark://host:7077`, `yarn`, `k8s://...`; None takes what `spark-submit` or spark-defaults.conf say
        and otherwise this machine.
    n_cores : int
        Cores to use on this machine.

    Raises
    ------
    UsageError
        If the session is of Spark Connect or has another master, or Java is missing or too old.
    AnnotationError
        If Spark cannot be started or the master does not answer.
    """
    if is_remote() or (master or "").startswith("sc://"):
        raise UsageError(
            "this is a session of Spark Connect (or Databricks Connect), which cannot run labelmill's workers: run the "
            "command on the cluster (spark-submit, a notebook of a classic cluster), or give the address of its "
            "master, e.g. spark://host:7077"
        )
    active = SparkContext._active_spark_context  # pyspark has no public way to ask without starting one
    if active is not None:
        return _joined(active, master)
    _require_answer(master or "")
    return Session(_started(master, n_cores), is_ours=True)


def is_local(context: SparkContext) -> bool:
    """Whether all its work is done in threads of the driver's JVM."""
    return re.match(r"local(\[|$)", context.master or "") is not None


def _joined(active: SparkContext, master: str | None) -> Session:
    if master is not None and active.master not in {master, _retrying(master)}:
        raise UsageError(
            f"a Spark session with master {active.master!r} is active in this process and {master!r} was asked for: "
            "stop it first, or use the engine 'spark', which joins it"
        )
    return Session(active, is_ours=False)


def _started(master: str | None, n_cores: int) -> SparkContext:
    try:
        with _as_it_was(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on pandas, which we do not use
            gateway = SparkContext._gateway or _gateway()
            conf = _conf(master, n_cores, gateway.jvm)
            context = SparkContext(conf=conf, gateway=gateway)
    except UsageError:
        raise
    except Exception as error:  # py4j and pyspark raise several unrelated kinds
        words = first_line(error)
        said = _said()
        raise AnnotationError(
            f"Spark did not start{f' with master {master!r}' if master else ''}: {words}"
            + (f"\nwhat Java said last:\n{said}" if said else "")
            + "\ncheck that the master runs and can be reached from here, and that it has the same version of Spark"
        ) from error
    context.setLogLevel("ERROR")
    _choose_python(context)
    logger.debug("spark_started master=%s", context.master)
    return context


def _conf(master: str | None, n_cores: int, jvm: Any) -> SparkConf:
    """What is set by spark-submit or in spark-defaults.conf stays; ours fills the gaps."""
    conf = SparkConf(_jvm=jvm)
    master = master or conf.get("spark.master")
    if master in {None, "local[*]", "local"}:
        master = f"local[{n_cores}]"
    conf.setMaster(_retrying(str(master)))
    if conf.get("spark.app.name", "pyspark-shell") == "pyspark-shell":
        conf.setAppName("labelmill")
    conf.set("spark.ui.showConsoleProgress", "false")
    conf.setIfMissing("spark.ui.enabled", "false")
    conf.setIfMissing("spark.executor.defaultJavaOptions", _LIGHT)
    conf.setIfMissing("spark.python.unix.domain.socket.enabled", "true")  # by TCP every task waits 40 ms twice
    if str(master).startswith("local"):
        for name in ("spark.driver.host", "spark.driver.bindAddress"):
            conf.setIfMissing(name, "127.0.0.1")  # nobody else is to talk with it
    return conf


def _retrying(master: str) -> str:
    """A local master that tries a task again when its worker is lost, as clusters do; others as they are."""
    if master == "local":
        return f"local[1,{MOST_FAILURES}]"
    found = re.fullmatch(r"local\[(\d+|\*)\]", master)
    return f"local[{found[1]},{MOST_FAILURES}]" if found else master


def _choose_python(context: SparkContext) -> None:
    """On this machine, our own interpreter; on others, what the settings say."""
    configured = context.getConf().get("spark.pyspark.python")
    if configured is not None:
        context.pythonExec = configured
    elif is_local(context) and "PYSPARK_PYTHON" not in os.environ:  # noqa: TID251 -- Spark's own setting, read by Spark
        context.pythonExec = sys.executable


def _gateway() -> Any:
    """A JVM whose words go to a file instead of the terminal. It ends with this process."""
    global _jvm_output  # noqa: PLW0603 -- one JVM per process is Spark's own rule
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # noqa: TID251 -- spark-submit's way to say that it has started the JVM
        return launch_gateway()  # type: ignore[no-untyped-call]  # pyspark leaves it untyped
    _require_java()
    _jvm_output = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the JVM
    atexit.register(_jvm_output.close)
    conf = SparkConf(loadDefaults=False)
    with tempfile.TemporaryDirectory(prefix="labelmill-spark-") as folder:
        settings = Path(folder) / "log4j2.properties"  # read once, at the start
        settings.write_text(_QUIET, encoding="utf-8")
        conf.set("spark.driver.defaultJavaOptions", f"{_LIGHT} -Dlog4j2.configurationFile={settings.as_uri()}")
        streams = {"stdout": _jvm_output, "stderr": _jvm_output}
        return launch_gateway(conf, streams)  # type: ignore[no-untyped-call]  # likewise


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")  # noqa: TID251 -- where Spark's own start script looks
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    cure = (
        f"install Java {OLDEST_JAVA} or later (on Debian: apt install openjdk-{OLDEST_JAVA}-jre-headless) and set "
        "JAVA_HOME to it if it is not the first on the PATH"
    )
    if java is None:
        place = (
            f"JAVA_HOME is {home!r}, which has no bin/java" if home else "JAVA_HOME is not set and the PATH has none"
        )
        raise UsageError(f"Spark needs Java {OLDEST_JAVA} or later and none was found ({place}): {cure}")
    said = _java_words(java)
    found = re.search(r'version "(?:1\.)?(\d+)', said)  # Java 8 calls itself 1.8
    if found is None:
        raise UsageError(f"Spark needs Java and {java} does not work; `java -version` says {said[:200]!r}: {cure}")
    if int(found[1]) < OLDEST_JAVA:
        raise UsageError(f"Spark needs Java {OLDEST_JAVA} or later and {java} is Java {found[1]}: {cure}")


def _java_words(java: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 -- the Java that Spark would start
            [java, "-version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stderr + done.stdout).strip()


def _require_answer(master: str) -> None:
    """Raise if none of the hosts of a `spark://` address accepts a connection."""
    places = _places(master)
    problems = []
    for host, port in places:
        try:
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        except OSError as error:
            problems.append(f"{host}:{port} ({error.strerror or error})")
        else:
            return
    if places:
        raise AnnotationError(
            f"no Spark master answers at {', '.join(problems)}: check that it runs (its log names the address it "
            "listens at), that the name and the port are right, and that no firewall is between"
        )


def _places(master: str) -> list[tuple[str, int]]:
    """Host and port of each master of a standalone cluster; nothing for other kinds of cluster."""
    found = re.fullmatch(r"spark://(.*)", master)
    places = [place.rpartition(":") for place in found[1].split(",")] if found else []
    if any(not host or not port.isdigit() for host, _, port in places):
        raise UsageError(
            f"the address of a Spark master is spark://host:port, e.g. spark://host:7077; found {master!r}"
        )
    return [(host.strip("[]"), int(port)) for host, _, port in places]


def _said() -> str:
    """The end of what the JVM said."""
    if _jvm_output is None:
        return ""
    size = _jvm_output.seek(0, os.SEEK_END)
    _jvm_output.seek(max(0, size - 2_000))
    return _jvm_output.read().decode(errors="replace").strip()


@contextlib.contextmanager
def _as_it_was() -> Iterator[None]:
    """Keep what Ctrl-C does: pyspark takes it over, and a `map` cancels its job anyway when it is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
