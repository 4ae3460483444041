"""Specifies which files an image is built from: a .dockerignore is read as Docker reads it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from devinit.errors import ProviderError
from devinit.kinds.docker.building import Build, archive, files_of, is_left_out, rules_of


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
            ("./secret", "secret", True),
            ("web/../secret/", "secret/a", True),
            ("*.py[cod]", "a.pyc", True),
            ("*.py[cod]", "a.py", False),
            ("log[0-9]", "log7", True),
            ("log[^0-9]", "log7", False),
            ("a[", "a[", True),
            (r"a\*", "a*", True),
            (r"a\*", "ab", False),
        ],
    )
    def test_leaves_out_what_its_last_rule_says(self, text: str, path: str, *, left: bool) -> None:
        assert is_left_out(path, rules_of(text)) is left

    def test_is_refused_with_so_many_wildcards_that_a_name_would_take_minutes(self) -> None:
        with pytest.raises(ProviderError, match="too many wildcards"):
            rules_of("*a*a*a*a*b")

    def test_is_refused_with_a_pattern_that_is_none(self) -> None:
        with pytest.raises(ProviderError, match="is no pattern"):
            rules_of("log[9-0]")


class TestTheFiles:
    def test_are_none_that_devinit_writes(self, tmp_path: Path) -> None:
        for name in (".env.runtime", ".ports.json", ".backend-port.json", "Dockerfile", "package.json"):
            (tmp_path / name).write_text("")
        (tmp_path / ".devinit").mkdir()
        (tmp_path / ".devinit" / "identity").write_text("")

        names = [name for name, _ in files_of(Build(context=tmp_path))]

        assert names == ["Dockerfile", "package.json"]

    def test_are_an_archive_of_which_no_large_piece_is_held(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / ("long" * 40)).write_bytes(b"x" * 1000)
        (tmp_path / "large").write_bytes(b"large" * (1 << 20))
        (tmp_path / "empty").write_bytes(b"")
        (tmp_path / "link").symlink_to("large")

        pieces = list(archive(list(files_of(Build(context=tmp_path)))))

        assert max(map(len, pieces)) <= 1 << 20
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
            found = {each.name: each for each in tar.getmembers()}
            large, long = (tar.extractfile(found[name]) for name in ("large", f"folder/{'long' * 40}"))
            assert large is not None
            assert long is not None
            assert large.read() == b"large" * (1 << 20)
            assert long.read() == b"x" * 1000
        assert sorted(found) == ["empty", "folder", f"folder/{'long' * 40}", "large", "link"]
        assert found["link"].linkname == "large"

    def test_keep_the_dockerfile_and_follow_no_link(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch")
        (tmp_path / ".dockerignore").write_text("*\n!kept\n")
        (tmp_path / "kept").symlink_to("/etc")

        names = [name for name, _ in files_of(Build(context=tmp_path))]

        assert names == ["kept", "Dockerfile"]
