"""Values of options that are checked where they are given."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any

import click

from labelmill import registry

__all__ = [
    "BULK_ENGINE_HELP",
    "ENGINE_HELP",
    "FRACTION",
    "SECONDS",
    "SEED",
    "SHARE",
    "EngineSpec",
    "OptionOfPlugin",
    "PluginName",
    "Shard",
]


class PluginName(click.ParamType):  # type: ignore[type-arg]  # it has no argument before click 8.2
    """The name of a plugin.

    Parameters
    ----------
    kind, *others : str
        Of the plugin.
    """

    name = "text"

    def __init__(self, kind: str, *others: str) -> None:
        self.kind = kind
        self.others = others

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 -- click's signature
        """The name.

        Raises
        ------
        UnknownPluginError
            If there is no such plugin; names the nearest.
        """
        if not any(value in registry.names(kind) for kind in (self.kind, *self.others)):
            registry.find(self.kind, value)
        return value


class EngineSpec(click.ParamType):  # type: ignore[type-arg]  # as above
    """An engine's name or a cluster's address; whether the cluster answers is seen when the work begins."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 -- click's signature
        """The spec.

        Raises
        ------
        UsageError
            If no engine can be meant by it; names the nearest and the forms of addresses.
        """
        from labelmill.pipeline._engines import check_engine

        return check_engine(value)


class Shard(click.ParamType):  # type: ignore[type-arg]  # as above
    """`i/n`: the i-th of n, counted from 0."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The pair (i, n)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+)/(\d+)", str(value).strip())
        if found is None or not int(found[1]) < int(found[2]):
            self.fail(f"{value!r} is no shard: write I/N with I from 0 to N-1, e.g. 0/4", param, ctx)
        return int(found[1]), int(found[2])


class OptionOfPlugin(click.ParamType):  # type: ignore[type-arg]  # as above
    """`NAME=VALUE`, the value as in `labelmill.toml`; what is no such value is a text."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The pair (name, value)."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not (name and sign):
            self.fail(f"{value!r} is no option: write NAME=VALUE, e.g. n_epochs=10", param, ctx)
        try:
            return name, tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return name, text


class _FiniteRange(click.FloatRange):
    """A range that "nan" does not lie in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not in the range {self._describe_range()}.", param, ctx)
        return number


SHARE = _FiniteRange(0, 1, min_open=True, max_open=True)
"""Above 0 and below 1."""

FRACTION = _FiniteRange(0, 1)
"""From 0 to 1, both included."""

SECONDS = _FiniteRange(0.001, 86_400)
"""What a labeling function may be given for one item."""

SEED = click.IntRange(0)
"""What everything random follows from."""

ENGINE_HELP = "Where the work runs.  [default: this process; beyond a million items, the project's]"
"""Of verbs that are quick on few items."""

BULK_ENGINE_HELP = "serial, processes, ray, spark, or an address such as ray://HOST:PORT.  [default: the project's]"
"""Of verbs that are long work on any number of items."""
