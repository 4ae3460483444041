"""Specifies where an answer for good is written, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.pinning import Pins, keep

FILE = """\
[services.backend]
port = 8000  # registered

[profiles.ci.services.backend]
on_conflict = "ask"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "devinit.toml"
    path.write_text(FILE)
    return path


class TestAnAnswer:
    def test_stands_in_the_table_of_its_service(self, file: Path) -> None:
        said = keep(str(file.parent), {"backend": "kill"}, None)

        assert file.read_text() == FILE.replace("registered\n", 'registered\non_conflict = "kill"\n')
        assert said == ['devinit.toml: on_conflict = "kill" for backend; remove it to be asked again']

    def test_stands_in_the_profile_that_would_cover_it(self, file: Path) -> None:
        keep(str(file.parent), {"backend": "kill"}, "ci")

        assert file.read_text() == FILE.replace('"ask"', '"kill"')

    def test_stands_in_the_service_when_the_profile_says_nothing(self, file: Path) -> None:
        keep(str(file.parent), {"backend": "kill"}, "demo")

        assert 'registered\non_conflict = "kill"\n' in file.read_text()

    def test_leaves_the_mode_of_the_file_and_a_link_to_it(self, file: Path) -> None:
        file.chmod(0o640)
        shared = file.rename(file.with_name("shared.toml"))
        file.symlink_to("shared.toml")

        keep(str(file.parent), {"backend": "move"}, None)

        assert shared.stat().st_mode & 0o777 == 0o640
        assert file.is_symlink()
        assert 'on_conflict = "move"' in shared.read_text()

    def test_is_not_written_through_a_link_that_leaves_the_checkout(self, file: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "devinit.toml").symlink_to(file)
        before = file.read_text()

        [said] = keep(str(other), {"backend": "move"}, None)

        assert f"is a link to {file}, outside of {other}" in said
        assert file.read_text() == before

    def test_that_cannot_be_written_is_no_failure_of_the_start(self, file: Path) -> None:
        file.write_bytes(b"\xff")

        [said] = keep(str(file.parent), {"backend": "kill"}, None)

        assert 'on_conflict = "kill" for backend was not kept: ' in said

    def test_for_a_file_that_has_gone_is_told(self, file: Path) -> None:
        pins = Pins(file.parent, None)
        assert pins.can_keep()
        file.unlink()

        assert not pins.can_keep()
        [said] = pins.keep({"backend": "kill"})

        assert "add on_conflict" in said
        assert not file.exists()
