"""`labelmill serve`: the browser app and its API."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve", short_help="Let people answer in the browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8321, show_default=True, help="0 for any that is free.")
@click.option("--database", help="A file, or postgresql://USER@HOST/NAME.  [default: the project's]")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Another name people reach the server by.")
@click.option("--count", type=click.IntRange(1), help="Items that wait for people at most.  [default: 1,000]")
@click.option(
    "--refill",
    "refill_minutes",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Minutes after which the queue is ordered anew by what people have said; 0 for never.",
)
@click.option("--open/--no-open", "opens", default=True, show_default=True, help="Open a browser.")
@click.option("--log", "logs", is_flag=True, help="Log each request, a JSON object a line.")
@click.option(
    "--project",
    "-p",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder with labelmill.toml.  [default: the current one]",
)
def command(
    host: str,
    port: int,
    database: str | None,
    allow_hosts: tuple[str, ...],
    count: int | None,
    refill_minutes: float,
    opens: bool,
    logs: bool,
    folder: Path,
) -> None:
    """Put the items that matter most before people, and take their answers.

    The first start prints a link to make the first account. Answers are votes: `labelmill aggregate` and
    `labelmill run` count them, while the server runs and afterwards.

    \b
    Examples:
      labelmill serve
      labelmill serve --host 0.0.0.0 --allow-host labels.example.org --no-open
    """
    from labelmill.cli._door import Door
    from labelmill.cli._serving import Serving, serve_project
    from labelmill.pipeline.workspace import Workspace

    with Door(folder).watching() as watch:
        workspace = Workspace.open(folder, watch=watch)
    serve_project(
        workspace,
        Serving(
            host=host,
            port=port,
            database=database,
            allow_hosts=allow_hosts,
            count=count,
            refill_minutes=refill_minutes,
            opens_browser=opens,
            logs=logs,
        ),
    )
