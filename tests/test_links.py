"""Every link within the repo's own pages leads somewhere."""

import re
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPO).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """A page that points at what was moved or renamed sends its reader away."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    lost = [target for target in targets if not (page.parent / target).exists()]
    assert not lost
