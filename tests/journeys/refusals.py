"""What every refusal keeps: one clear error, the right status, and everything on disk as it was."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tests.journeys.conftest import Answer, Shell

__all__ = ["assert_refusal", "listing", "refused"]

BOOKKEEPING = re.compile(r"(^|/)\.labelmill/(runs/.*|lock)$")
"""What a refused run may leave: its own record, and the lock it held."""


def listing(folder: Path) -> dict[str, str]:
    """Every file below a folder with a hash of its content, temporary ones included."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if not BOOKKEEPING.search(name)
    }


def assert_refusal(answer: Answer, status: int, *words: str) -> None:
    """One error on standard error that holds the words, nothing on standard output, no traceback."""
    assert answer.status == status, answer.err + answer.out
    assert answer.out == ""
    assert len(re.findall(r"^error: ", answer.err, re.MULTILINE | re.IGNORECASE)) == 1, answer.err
    assert "Traceback" not in answer.err
    assert "should not happen" not in answer.err
    for word in words:
        assert word in answer.err, answer.err


def refused(shell: Shell, command: list[str | Path], status: int, *words: str) -> Answer:
    """Run a command that must be refused with these words in its message, and must leave every file as it was."""
    before = listing(Path.cwd())

    answer = shell(*command)

    assert_refusal(answer, status, *words)
    assert listing(Path.cwd()) == before
    return answer
