"""Which format a path is in, by its ending."""

from __future__ import annotations

from pathlib import Path

from labelmill import registry
from labelmill.errors import MissingDependencyError, UsageError
from labelmill.formats._bytes import COMPRESSED

__all__ = ["format_name"]

_FOLDER_FORMAT = "folders"


def format_name(path: str | Path) -> str:
    """Name of the format that claims a path's ending; the longest ending wins, upper and lower case are the same.

    A text format may be packed: `votes.csv.gz` and `votes.csv.zst` are `csv`. A folder, or a path that ends in `/`,
    is `folders`.

    Raises
    ------
    UsageError
        If no format claims the ending; lists the known ones.

    Examples
    --------
    >>> format_name("votes.csv.gz")
    'csv'
    """
    if str(path).endswith("/") or Path(path).is_dir():
        return _FOLDER_FORMAT
    name = Path(path).name.lower()
    endings = _endings()
    for ending in sorted(endings, key=len, reverse=True):
        if name.endswith(ending):
            return endings[ending]
    plain = sorted(ending for ending in endings if not ending.endswith(COMPRESSED))
    raise UsageError(
        f"{path}: no format is known by this ending. Known endings: {', '.join(plain)}; text formats also packed "
        f"({', '.join(COMPRESSED)}); a folder of class folders."
    )


def _endings() -> dict[str, str]:
    endings = {}
    for name in registry.names("format"):
        try:
            plugin = registry.find("format", name)
        except MissingDependencyError:
            continue
        for ending in plugin.suffixes:
            endings[ending] = name
            if getattr(plugin, "compressible", False):
                endings.update({ending + packed: name for packed in COMPRESSED})
    return endings
