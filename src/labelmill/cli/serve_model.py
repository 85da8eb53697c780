"""`labelmill serve-model`: trained annotators behind an address."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve-model", short_help="Serve the trained models to other programs.")
@click.argument("project", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--model", "name", help="The one to serve.  [default: every trained one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8322, show_default=True, help="0 for any that is free.")
@click.option("--allow-host", "allow_hosts", multiple=True, help="Another name programs reach the server by.")
@click.option(
    "--max-batch", type=click.IntRange(1, 4_096), default=64, show_default=True, help="Items of one call of a model."
)
@click.option(
    "--max-wait-ms",
    type=click.FloatRange(0, 1_000),
    default=5.0,
    show_default=True,
    help="Milliseconds that a batch waits for others, when others are about.",
)
@click.option(
    "--time-limit", type=click.FloatRange(0.1, 3_600), default=60.0, show_default=True, help="Seconds until an answer."
)
@click.option("--log", "logs", is_flag=True, help="Log each request, a JSON object a line.")
def command(
    project: Path,
    name: str | None,
    host: str,
    port: int,
    allow_hosts: tuple[str, ...],
    max_batch: int,
    max_wait_ms: float,
    time_limit: float,
    logs: bool,
) -> None:
    """Answer programs that speak the Open Inference Protocol (KServe, Triton) or are Label Studio, or send JSON.

    What many ask at once is computed together. A newly trained version takes the old one's place within seconds. Others
    can reach the server only with the token in LABELMILL_MODEL_TOKEN.

    \b
    Examples:
      labelmill train && labelmill serve-model
      labelmill serve-model mails --model tfidf_linear --port 9000 --max-batch 128
      curl -d '{"items": [{"id": "a", "text": "win a prize"}]}' localhost:8322/v2/models/tfidf_linear/predict
    """
    from labelmill.cli._model_serving import ModelServing, serve_models

    serve_models(
        project,
        ModelServing(
            model=name,
            host=host,
            port=port,
            allow_hosts=allow_hosts,
            max_batch=max_batch,
            max_wait=max_wait_ms / 1000,
            time_limit=time_limit,
            logs=logs,
        ),
    )
