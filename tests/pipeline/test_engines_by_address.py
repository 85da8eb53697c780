from __future__ import annotations

import pytest

from labelmill import registry
from labelmill.engines.processes import Processes
from labelmill.engines.serial import Serial
from labelmill.errors import UsageError
from labelmill.pipeline._engines import check_engine, open_engine, stays_here


@pytest.mark.parametrize(
    "spec",
    [
        "serial",
        "processes",
        "ray://head:10001",
        "spark://host:7077",
        "local",
        "local[2]",
        "local[*]",
        "local-cluster[2,1,1024]",
        "yarn",
        "k8s://https://host:6443",
    ],
)
def test_names_and_addresses(spec: str) -> None:
    """Every form is known without loading a library or asking a cluster."""
    assert spec == check_engine(spec)


@pytest.mark.parametrize("spec", ["", "proceses", "ray:/head", "ray://", "spark://", "local[", "yarn2", "http://host"])
def test_what_is_no_engine(spec: str) -> None:
    """It is refused with the names, and with the forms of addresses."""
    with pytest.raises(UsageError, match=r"no engine is called .*processes.* Or an address: ray://HOST:PORT"):
        check_engine(spec)


def test_options_are_passed_only_where_given() -> None:
    """An engine without options of its own can be opened by name."""
    engine = open_engine("processes", workers=3)

    assert isinstance(open_engine("serial"), Serial)
    assert isinstance(engine, Processes)
    assert engine.workers == 3


class _Spark:
    def __init__(self, master: str | None = None) -> None:
        self.master = master


def test_an_address_goes_to_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin that speaks to such clusters gets the address; by its name alone it gets none."""
    monkeypatch.setattr(registry, "find", lambda kind, name: {("engine", "spark"): _Spark}[kind, name])

    with_address, without = open_engine("local[2]"), open_engine("spark")

    assert vars(with_address) == {"master": "local[2]"}
    assert vars(without) == {"master": None}


def test_who_shares_the_disk() -> None:
    """Only engines of this machine do for certain."""
    assert [stays_here(spec) for spec in ("serial", "processes", "local[2]", "ray", "spark://h:1")] == [
        True,
        True,
        True,
        False,
        False,
    ]
