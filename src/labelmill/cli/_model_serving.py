"""A project's models, from the first load to the last request."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from labelmill.cli._serving import is_local, log_requests
from labelmill.errors import UsageError

__all__ = ["ModelServing", "serve_models"]

TOKEN = "LABELMILL_MODEL_TOKEN"  # noqa: S105 -- the name of a variable
SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class ModelServing:
    """How models are served.

    Parameters
    ----------
    model : str, optional
        The one to serve; all without it.
    host, port : str, int
    allow_hosts : sequence of str
        More names that the server answers to.
    max_batch : int
        Items of one call of a model.
    max_wait, time_limit : float
        Seconds that a batch waits for others, and until an answer.
    logs : bool
        Whether each request is logged.
    """

    model: str | None = None
    host: str = "127.0.0.1"
    port: int = 8322
    allow_hosts: Sequence[str] = ()
    max_batch: int = 64
    max_wait: float = 0.005
    time_limit: float = 60.0
    logs: bool = False


def serve_models(folder: Path, serving: ModelServing) -> None:
    """Load the models, warm them up, and answer until stopped."""
    from labelmill.server.model_serving.app import create_model_app
    from labelmill.server.model_serving.batcher import Limits
    from labelmill.server.model_serving.shelf import Shelf
    from labelmill.server.running import listen, run_until_stopped
    from labelmill.server.settings import settings_from

    token = _token(serving.host)
    limits = Limits(max_batch=serving.max_batch, max_wait=serving.max_wait, time_limit=serving.time_limit)
    with listen(serving.host, serving.port) as taken:
        shelf = Shelf(folder, only=serving.model, limits=limits)
        with contextlib.closing(shelf):
            click.echo("Loading ...", err=True)
            shelf.load()
            settings = settings_from(os.environ, host=serving.host, requests_per_second=10_000.0, burst=20_000.0)
            settings = replace(settings, hosts=settings.hosts | {name.lower() for name in serving.allow_hosts})
            log_requests(logs=serving.logs)
            app = create_model_app(shelf, settings, token=token)
            with contextlib.suppress(KeyboardInterrupt):  # the server has stopped by then; uvicorn passes the signal on
                run_until_stopped(app, taken, started=lambda: _tell(shelf.names, serving, taken.getsockname()[1]))
    click.echo("Stopped.", err=True)


def _token(host: str) -> str | None:
    """What programs must show.

    Raises
    ------
    UsageError
        If others could ask without any, or it can be guessed.
    """
    token = os.environ.get(TOKEN) or None
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise UsageError(f"{TOKEN} must have {SHORTEST_TOKEN} characters or more: others could guess it")
    if token is None and not is_local(host):
        raise UsageError(
            f'others can reach {host}, and nothing keeps them out: set {TOKEN}, e.g. export {TOKEN}="$(openssl rand '
            '-hex 16)", or leave --host out'
        )
    return token


def _tell(names: Sequence[str], serving: ModelServing, port: int) -> None:
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    root = f"http://{host}:{port}"
    lines = [f"Serving {', '.join(names)} at {root}", *(f"  {root}/v2/models/{name}/infer" for name in names)]
    click.echo("\n".join([*lines, f"  {root} as the ML backend of Label Studio", "Stop with Ctrl-C."]), err=True)
