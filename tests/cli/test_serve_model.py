from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.server.model_serving.served import outputs_of, texts_input, trained_project

from labelmill.cli.main import cli
from labelmill.errors import FailedError, UsageError


def test_a_trained_model_is_served_until_stopped(tmp_path: Path) -> None:
    """The command says where it serves, answers there, and ends well on SIGTERM."""
    folder = trained_project(tmp_path / "mails")
    command = [sys.executable, "-m", "labelmill.cli.main", "serve-model", str(folder), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = "".join(iter(process.stderr.readline, "Stop with Ctrl-C.\n"))
        found = re.search(r"(http://\S+)/infer", told)
        assert found is not None, told
        outputs = outputs_of(httpx.post(f"{found[1]}/infer", json=texts_input("a free prize")))
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)

    assert (outputs["label"], status) == (["spam"], 0)


def test_others_need_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that others reach is refused without a token, and with one that can be guessed."""
    words = ["serve-model", str(tmp_path), "--host", "0.0.0.0"]  # noqa: S104 -- refused
    with pytest.raises(UsageError, match="LABELMILL_MODEL_TOKEN"):
        CliRunner().invoke(cli, words, catch_exceptions=False)
    monkeypatch.setenv("LABELMILL_MODEL_TOKEN", "short")

    with pytest.raises(UsageError, match="16 characters"):
        CliRunner().invoke(cli, words, catch_exceptions=False)


def test_nothing_trained_is_told(tmp_path: Path) -> None:
    """Without a model there is nothing to serve, and the message says what to do."""
    from labelmill.pipeline.init import init

    init(tmp_path / "new", classes=["a", "b"])

    with pytest.raises(FailedError, match="labelmill train"):
        CliRunner().invoke(cli, ["serve-model", str(tmp_path / "new"), "--port", "0"], catch_exceptions=False)
