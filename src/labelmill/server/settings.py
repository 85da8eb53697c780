"""What a server must be told: where it listens, whom it believes, how much it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["LOCAL_HOSTS", "ServerSettings", "settings_from"]

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a server is asked for on its own machine."""

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server behaves.

    Parameters
    ----------
    hosts : frozenset of str
        Names it answers to, without port; a page elsewhere cannot make a browser ask under another one.
    is_https : bool
        Whether people reach it by https: the cookie then travels only so.
    folders : mapping of str to Path
        Public id of a project -> its folder; pictures and recordings lie in it.
    cache : Path or None
        Folder for thumbnails, peaks and spectrograms; nothing is kept without it.
    static : Path
        The built browser app.
    metrics_token : str or None
        What a collector from another machine must show; without it only this machine may ask.
    max_body : int
        Bytes of a request.
    requests_per_second, burst : float
        For one address.
    sign_ins : int
        Wrong passwords that an account takes in `sign_in_seconds`; an address takes three times as many.
    for_programs : bool
        Whether no browser has a cookie here: then requests need not show that they come from our own page.
    """

    hosts: frozenset[str] = frozenset(LOCAL_HOSTS)
    is_https: bool = False
    folders: Mapping[str, Path] = field(default_factory=dict)
    cache: Path | None = None
    static: Path = STATIC
    metrics_token: str | None = None
    max_body: int = 8_000_000
    requests_per_second: float = 100.0
    burst: float = 500.0
    sign_ins: int = 10
    sign_in_seconds: float = 300.0
    for_programs: bool = False


def settings_from(environ: Mapping[str, str], *, host: str, **known: object) -> ServerSettings:
    """The settings of a server on this address; the environment adds to them.

    `LABELMILL_HOSTS` lists more names it is reached by, `LABELMILL_HTTPS=1` says that a proxy before it speaks https,
    `LABELMILL_METRICS_TOKEN` lets collectors elsewhere ask for `/metrics`.
    """
    more = {name.strip().lower() for name in environ.get("LABELMILL_HOSTS", "").split(",") if name.strip()}
    own = set() if host in {"0.0.0.0", "::", ""} else {f"[{host}]" if ":" in host else host.lower()}  # noqa: S104 -- compared, not bound
    return ServerSettings(
        hosts=frozenset({*LOCAL_HOSTS, *own, *more}),
        is_https=environ.get("LABELMILL_HTTPS", "") in {"1", "true", "yes"},
        metrics_token=environ.get("LABELMILL_METRICS_TOKEN") or None,
        **known,  # type: ignore[arg-type]  # the caller's own fields of the dataclass
    )
