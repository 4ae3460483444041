"""The guide about kinds of services shows the example that is tested, word for word."""

from __future__ import annotations

import pytest

from tests.docs.test_documents import FENCE, ROOT

EXAMPLE = ROOT / "tests" / "plug_ins" / "devinit-mailbox"
GUIDE = ROOT / "docs" / "guides" / "extending.md"


@pytest.mark.parametrize("file", ["devinit_mailbox/kind.py", "devinit_mailbox/provider.py", "pyproject.toml"])
def test_the_guide_shows_each_file_of_the_example(file: str) -> None:
    shown = [body for _, body in FENCE.findall(GUIDE.read_text())]

    assert (EXAMPLE / file).read_text() in shown
