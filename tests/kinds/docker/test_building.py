"""Specifies which files an image is built from: a .dockerignore is read as Docker reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.errors import ProviderError
from devinit.kinds.docker.building import Build, files_of, is_left_out, rules_of


class TestADockerignore:
    @pytest.mark.parametrize(
        ("text", "path", "left"),
        [
            ("node_modules", "node_modules/a/b.js", True),
            ("node_modules", "web/node_modules/a.js", False),
            ("**/node_modules", "web/node_modules/a.js", True),
            ("**/*.log", "a.log", True),
            ("*.log", "web/a.log", False),
            ("web/**", "web/a/b", True),
            ("/dist/", "dist/a", True),
            ("*\n!README.md", "README.md", False),
            ("*\n!README.md", "other.md", True),
            ("!a\n*", "a", True),
            ("# a", "# a", False),
            ("a?c", "abc", True),
            ("a.c", "abc", False),
        ],
    )
    def test_leaves_out_what_its_last_rule_says(self, text: str, path: str, *, left: bool) -> None:
        assert is_left_out(path, rules_of(text)) is left

    def test_is_refused_with_so_many_wildcards_that_a_name_would_take_minutes(self) -> None:
        with pytest.raises(ProviderError, match="too many wildcards"):
            rules_of("*a*a*a*a*b")


class TestTheFiles:
    def test_keep_the_dockerfile_and_follow_no_link(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch")
        (tmp_path / ".dockerignore").write_text("*\n!kept\n")
        (tmp_path / "kept").symlink_to("/etc")

        names = [name for name, _ in files_of(Build(context=tmp_path))]

        assert names == ["kept", "Dockerfile"]
