"""Values of options that are checked where they are given."""

from __future__ import annotations

import math
from typing import Any

import click

from labelmill import registry

__all__ = ["SECONDS", "SEED", "SHARE", "PluginName"]


class PluginName(click.ParamType):  # type: ignore[type-arg]  # it has no argument before click 8.2
    """The name of a plugin.

    Parameters
    ----------
    kind : str
        Of the plugin.
    """

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 -- click's signature
        """The name.

        Raises
        ------
        UnknownPluginError
            If there is no such plugin; names the nearest.
        """
        if value not in registry.names(self.kind):
            registry.find(self.kind, value)
        return value


class _FiniteRange(click.FloatRange):
    """A range that "nan" does not lie in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not in the range {self._describe_range()}.", param, ctx)
        return number


SHARE = _FiniteRange(0, 1, min_open=True, max_open=True)
"""Above 0 and below 1."""

SECONDS = _FiniteRange(0.001, 86_400)
"""What a labeling function may be given for one item."""

SEED = click.IntRange(0)
"""What everything random follows from."""
