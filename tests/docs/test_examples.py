"""Every example of the documentation runs, page by page, in a folder of its own.

A page is a story. Blocks with a title are files, Python blocks share one module, lines of the shell that call
labelmill go through the command line, and `print(...)  # text` says what is printed. Where a page asks a person to
fill in a file, the test fills it in from gold. A block is left out only after `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import linecache
import re
import shlex
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import polars as pl
import pytest
from click.testing import CliRunner

from labelmill.cli.main import cli
from labelmill.pipeline.examples import GOLD, example_folder

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OTHER_TOOLS = {*("cd", "curl", "export", "git", "make", "mkdocs", "mypy", "pip", "pytest", "python", "ruff", "tail")}
N_MAILS = 600
"""So many mails are enough for a story, and cheap."""

FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n+)?"
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"\n]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
SPOKEN = re.compile(r"`(labelmill [a-z][^`]*)`")
PRINTED = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: where it starts, what it is, the file it stands for, why it is not run."""

    line: int
    language: str
    title: str | None
    text: str
    reason: str | None


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        yield Block(line, match["language"], match["title"], match["text"], match["reason"])


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _lines(text: str) -> list[str]:
    """Lines of the shell, with continued ones joined."""
    return [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def _calls(line: str) -> Iterator[list[str]]:
    """The words of each command in a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    for is_between, tokens in itertools.groupby(lexer, key=lambda token: set(token) <= set("&|;")):
        words = list(tokens)
        if not is_between:
            assert words[0] in OTHER_TOOLS | {"labelmill"}, f"{words[0]!r} is no tool that the documentation may call"
            yield words


def _commands(text: str) -> list[str]:
    """The calls of labelmill in a text of the shell."""
    return [shlex.join(words) for line in _lines(text) for words in _calls(line) if words[0] == "labelmill"]


STORIES = [
    page for page in PAGES if any(block.language in {"python", "bash"} and not block.reason for block in _blocks(page))
]
LINES = [
    pytest.param(line, id=f"{_name(page)}:{line}")
    for page in PAGES
    for line in dict.fromkeys(
        [
            *(each for block in _blocks(page) if block.language == "bash" for each in _commands(block.text)),
            *(each for spoken in SPOKEN.findall(page.read_text(encoding="utf-8")) for each in _commands(spoken)),
        ]
    )
]


@pytest.mark.parametrize("page", STORIES, ids=_name)
def test_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of the page runs, in order, and prints what it says."""
    story = _Story(page, tmp_path, monkeypatch)

    for block in _blocks(page):
        if block.reason is None:
            story.tell(block)


@pytest.mark.parametrize("line", LINES)
def test_command_exists(line: str) -> None:
    """A labelmill line of the documentation names a command there is, with options it has."""
    _parsed(line)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_fences_are_plain(page: Path) -> None:
    """Every fence stands at the margin and names its language, so that no example escapes these tests."""
    fences = [line for line in page.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("```")]

    assert 2 * sum(1 for _ in _blocks(page)) == len(fences)


class _Story:
    """One page being told."""

    def __init__(self, page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page = page
        self.monkeypatch = monkeypatch
        self.module = types.ModuleType("page_" + page.stem.replace("-", "_"))
        self.gold: dict[str, str] = {}
        monkeypatch.setitem(sys.modules, self.module.__name__, self.module)
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(folder))
        if re.search(r"mails\.(csv|parquet)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            self._lay_out_mails()

    def tell(self, block: Block) -> None:
        """Do what the block says."""
        if block.title is not None:
            path = Path(block.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._run_python(block)
        elif block.language == "bash":
            for line in _lines(block.text):
                self._run_shell(line)

    def _run_python(self, block: Block) -> None:
        source = "\n" * (block.line - 1) + block.text  # so that a traceback names the line of the page
        file = f"{_name(self.page)}#{block.line}"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, file, "exec"), self.module.__dict__)  # noqa: S102 -- our own documentation
        promised = PRINTED.findall(block.text)
        if promised:
            assert promised == printed.getvalue().splitlines()

    def _run_shell(self, line: str) -> None:
        for words in _calls(line):
            if words[0] == "cd":
                self.monkeypatch.chdir(words[1])
            elif words[0] == "labelmill":
                self._fill_in(words)
                result = CliRunner().invoke(cli, words[1:], standalone_mode=False)
                if result.exception is not None:
                    raise AssertionError(f"{line}\n{result.output}") from result.exception

    def _fill_in(self, words: list[str]) -> None:
        """Be the person who answers a file before it is imported."""
        if "--votes-by" not in words:
            return
        path = Path(words[2])
        asked = pl.read_csv(path, infer_schema=False)
        truth = pl.col("item").replace_strict(self.gold, default=None, return_dtype=pl.String)
        empty = pl.col("label").fill_null("") == ""
        asked.with_columns(label=pl.when(empty).then(truth).otherwise("label")).write_csv(path)

    def _lay_out_mails(self) -> None:
        """Some of the mails that ship with labelmill, as `mails.csv` and as the demo leaves them."""
        folder = example_folder("spam")
        mails = pl.read_parquet(folder / "mails.parquet").sample(N_MAILS, seed=0)
        answers = pl.read_parquet(folder / GOLD)
        self.gold = dict(zip(answers["id"], answers["label"], strict=True))
        Path("demo-spam").mkdir()
        mails.write_parquet("demo-spam/mails.parquet")
        mails.write_csv("mails.csv")


def _parsed(line: str) -> None:
    """Refuse a command or an option that does not exist."""
    command: click.Command = cli
    context = click.Context(command)
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"{words[0]!r} is no command"
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    command.make_parser(context).parse_args(words)
