"""An S3 server that the nodes of a cluster reach, with a bucket that keeps every version."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.trials.nodes import free_port, wait_until
from tests.trials.shelves import Bucket

__all__ = ["ObjectStore", "object_store"]

BUCKET = "lakes"

_number = itertools.count()


@dataclass(frozen=True)
class ObjectStore:
    """A running server.

    Parameters
    ----------
    env : mapping
        What a process needs in its environment to use it.
    client
        Of boto3, to look past labelmill.
    """

    env: Mapping[str, str]
    client: Any

    def shelf(self) -> Bucket:
        """A place of its own for a lake."""
        return Bucket(f"s3://{BUCKET}/lake-{next(_number)}", self.client)


@contextlib.contextmanager
def object_store(folder: Path, host: str) -> Iterator[ObjectStore]:
    """A server whose address is `host`; it keeps everything in memory and ends with the block."""
    import boto3

    port = free_port()
    endpoint = f"http://{host}:{port}"
    credentials = {"AWS_ACCESS_KEY_ID": "trial", "AWS_SECRET_ACCESS_KEY": "trial", "AWS_REGION": "us-east-1"}
    with (folder / "moto.log").open("ab") as log:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("moto_server")), "-H", host, "-p", str(port)], stdout=log, stderr=log
        )
    try:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=credentials["AWS_REGION"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        )
        wait_until(lambda: _answers(client), "the object store answers", within=120)
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield ObjectStore({**credentials, "AWS_ENDPOINT_URL": endpoint}, client)
    finally:
        server.kill()
        server.wait()


def _answers(client: Any) -> bool:
    from botocore.exceptions import BotoCoreError

    try:
        client.list_buckets()
    except BotoCoreError:
        time.sleep(0.2)
        return False
    return True
