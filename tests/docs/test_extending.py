"""The guide about packages that extend devinit shows the examples that are tested, word for word."""

from __future__ import annotations

import pytest

from tests.docs.test_documents import FENCE, ROOT

EXAMPLES = ROOT / "tests" / "plug_ins"
GUIDE = ROOT / "docs" / "guides" / "extending.md"


@pytest.mark.parametrize(
    "file",
    [
        "devinit-mailbox/devinit_mailbox/kind.py",
        "devinit-mailbox/devinit_mailbox/provider.py",
        "devinit-mailbox/pyproject.toml",
        "devinit-addresses/devinit_addresses/__init__.py",
        "devinit-addresses/pyproject.toml",
        "devinit-steps/devinit_steps/source.py",
        "devinit-steps/pyproject.toml",
    ],
)
def test_the_guide_shows_each_file_of_the_examples(file: str) -> None:
    shown = [body for _, body in FENCE.findall(GUIDE.read_text())]

    assert (EXAMPLES / file).read_text() in shown
