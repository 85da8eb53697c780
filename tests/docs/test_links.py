from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link within the repository names a file that is there, and a heading that it has."""
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), f"{_name(page)}: no {link}"
        if anchor:
            assert anchor in _anchors(target), f"{_name(page)}: {path} has no heading #{anchor}"


def test_every_page_is_in_the_menu() -> None:
    """The menu of the site lists every page."""
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in menu


def test_nothing_is_fetched_from_elsewhere() -> None:
    """The site loads no script, style, font or picture from another host."""
    style = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.css"))
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))

    assert "font: false" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"!\[[^]]*\]\(https?:|src=\"https?:", pages)


def _anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {_slug(heading) for heading in HEADING.findall(text)}


def _slug(heading: str) -> str:
    plain = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)
