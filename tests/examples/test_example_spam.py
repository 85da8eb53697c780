"""The example of mails: what ships, and how it is made."""

from __future__ import annotations

import importlib.util
import io
import re
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "spam"

ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:|/?&!`]@[\w.-]+\w")
"""Anything before the `@` of a domain that is not a delimiter: a local part that was left."""

PLAIN = b"""From someone@example.com Thu Aug 22 12:36:23 2002
X-Spam-Status: Yes
From: Jane Doe <jane.doe+lists@example.com>
To: friends@lists.example.org
Subject: Re: [list] hello
 joe@example.net

Write to first.last@example.com or mailto:bob@example.org.
On Monday, joe_b@example.net wrote:\x00
"""
PAGE = b"""From: =?iso-8859-1?q?Andr=E9?= <win@example.biz>
Subject: =?utf-8?b?V2luISDwn5iA?=
MIME-Version: 1.0
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<html><style>p {color: red}</style><body><p>Caf=E9 &amp; more</p><a href=3D"http://example.biz?u=3Dme@example.com">click
here</a><br>now</body></html>
"""
MANY_PARTS = b"""From: a@example.com
Content-Type: multipart/mixed; boundary=cut

--cut
Content-Type: text/plain; charset=unheard-of

Smart \x93quotes\x94 here
--cut
Content-Type: application/pdf; name=x.pdf
Content-Disposition: attachment; filename=x.pdf

%PDF
--cut--
"""
EMPTY = b"From: nobody\nSubject: nothing\n\n"


@pytest.fixture(scope="module")
def preparation() -> Any:
    """The example's `prepare.py`."""
    spec = importlib.util.spec_from_file_location("prepare_spam", EXAMPLE / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mails() -> pl.DataFrame:
    """The mails that ship."""
    return pl.read_parquet(EXAMPLE / "mails.parquet")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with five mails, two of them the same."""
    files = {
        "easy-ham-1/00001.a.txt": PLAIN,
        "easy-ham-1/00001.a.json": b"{}",
        "easy-ham-2/00001.b.txt": PLAIN,
        "spam-1/00001.c.txt": PAGE,
        "hard-ham-1/00001.d.txt": MANY_PARTS,
        "spam-2/00001.e.txt": EMPTY,
    }
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_every_mail_of_the_package_is_there(mails: pl.DataFrame) -> None:
    """6,046 mails with ids of their own."""
    assert mails.height == 6046
    assert mails["id"].n_unique() == 6046


def test_gold_names_the_same_mails_apart_from_them(mails: pl.DataFrame) -> None:
    """Labels lie in a file of their own and the mails hold none."""
    gold = pl.read_parquet(EXAMPLE / "gold.parquet")

    assert gold["id"].to_list() == mails["id"].to_list()
    assert dict(gold["label"].value_counts().iter_rows()) == {"ham": 4150, "spam": 1896}
    assert not {"label", "group"} & set(mails.columns)


def test_ids_and_order_do_not_tell_the_class() -> None:
    """Ids are 12 hexadecimal digits, and spam is spread over the file as by lot."""
    gold = pl.read_parquet(EXAMPLE / "gold.parquet")

    assert gold["id"].str.contains(r"^[0-9a-f]{12}$").all()
    shares = [(part["label"] == "spam").mean() for part in gold.iter_slices(1000)]
    assert all(0.26 < share < 0.37 for share in shares if isinstance(share, float))


def test_no_address_is_left(mails: pl.DataFrame) -> None:
    """In text, subject and sender nothing stands before the `@` of a domain."""
    for column in ("text", "subject", "sender"):
        found = [match.group() for value in mails[column] if (match := ADDRESS.search(value))]

        assert found == []


def test_texts_are_short_and_clean(mails: pl.DataFrame) -> None:
    """At most 4,000 characters, none of them a control character, and never empty."""
    assert mails["text"].str.len_chars().max() == 4000
    assert mails["text"].str.strip_chars().str.len_chars().min() == len("test")
    for column in ("text", "subject", "sender"):
        assert not mails[column].str.contains(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]").any()
        assert mails[column].null_count() == 0


def test_no_trace_of_the_filter_is_left_in_columns(mails: pl.DataFrame) -> None:
    """Of the headers only subject and sender are there."""
    columns = ["id", "text", "subject", "sender", "length", "is_html", "links", "attachments"]

    assert mails.columns == columns


def test_the_file_is_small() -> None:
    """Below 8 MB, so it can lie in the repository."""
    assert (EXAMPLE / "mails.parquet").stat().st_size < 8_000_000


def test_preparation_is_deterministic(preparation: Any, package: Path, tmp_path: Path) -> None:
    """The same package gives the same bytes."""
    written = []
    for name in ("one", "two"):
        mails, gold = preparation.prepare(package)
        mails.write_parquet(tmp_path / name, compression="zstd")
        gold.write_parquet(tmp_path / f"{name}-gold", compression="zstd")
        written.append(((tmp_path / name).read_bytes(), (tmp_path / f"{name}-gold").read_bytes()))

    assert written[0] == written[1]


def test_equal_mails_keep_apart(preparation: Any, package: Path) -> None:
    """A mail that is there twice has two ids."""
    mails, gold = preparation.prepare(package)

    assert mails.height == 5
    assert mails["id"].n_unique() == 5
    assert mails["id"].to_list() == gold["id"].to_list()
    assert sorted(gold["label"]) == ["ham", "ham", "ham", "spam", "spam"]


def test_addresses_are_masked_to_their_domains(preparation: Any) -> None:
    """Sender, subject and text keep domains only; a NUL becomes a replacement character."""
    mail = preparation.mail_of(PLAIN)

    assert mail["sender"] == "Jane Doe <@example.com>"
    assert mail["subject"] == "Re: [list] hello @example.net"
    assert mail["text"] == (
        "Write to @example.com or mailto:@example.org.\nOn Monday, @example.net wrote:\N{REPLACEMENT CHARACTER}"
    )


def test_a_page_is_read_as_a_browser_shows_it(preparation: Any) -> None:
    """Style sheets and tags are gone, character sets and encoded words are decoded, links are counted."""
    mail = preparation.mail_of(PAGE)

    assert mail["text"] == "Café & more\nclick here\nnow"
    assert mail["sender"] == "André <@example.biz>"
    assert mail["subject"] == "Win! 😀"
    assert (mail["is_html"], mail["links"]) == (True, 2)


def test_parts_and_unknown_character_sets(preparation: Any) -> None:
    """An attachment is counted, not read; bytes in no declared set are read as Windows-1252."""
    mail = preparation.mail_of(MANY_PARTS)

    assert mail["text"] == "Smart “quotes” here"
    assert mail["attachments"] == 1


def test_a_mail_without_a_text_says_so(preparation: Any) -> None:
    """An empty text would look like a fault."""
    assert preparation.mail_of(EMPTY)["text"] == "(no text)"
