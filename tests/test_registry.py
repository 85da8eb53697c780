from __future__ import annotations

import pytest

from labelmill import registry
from labelmill.errors import UnknownPluginError


@pytest.mark.parametrize("kind", sorted(registry.FOLDERS))
def test_every_listed_name_loads(kind: str) -> None:
    """Whatever the registry lists, it can load."""
    for name in registry.names(kind, installed=False):
        assert registry.find(kind, name) is not None


def test_unknown_name_is_answered_with_the_nearest() -> None:
    """A misspelt plugin name is answered with the one that was probably meant."""
    with pytest.raises(UnknownPluginError, match="did you mean 'margin'"):
        registry.find("query_strategy", "margn")


def test_unknown_kind_is_answered_with_the_known_ones() -> None:
    """A kind of plugin that does not exist is answered with those that do."""
    with pytest.raises(UnknownPluginError, match="label_model"):
        registry.names("label_mode")
