"""Specifies the random password that is kept beside a server's data."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.errors import StateFileError
from devinit.kinds.password import in_url, kept_password, stated_password


class TestAKeptPassword:
    def test_is_made_once_and_stays(self, tmp_path: Path) -> None:
        home = tmp_path / "data" / "postgres"

        assert kept_password(home) == kept_password(home)
        assert kept_password(home) != kept_password(tmp_path / "other")

    def test_is_the_same_text_in_a_url_and_in_a_file(self, tmp_path: Path) -> None:
        password = kept_password(tmp_path)

        assert in_url(password) == password
        assert len(password) == 48

    def test_is_readable_for_its_user_alone(self, tmp_path: Path) -> None:
        kept_password(tmp_path / "home")

        assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "home" / "password").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("content", ["", " \n", "\0\0\0\0", "two\nlines\n"])
    def test_that_cannot_be_one_is_refused_by_name(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "password").write_text(content)

        with pytest.raises(StateFileError, match="holds no password") as error:
            kept_password(tmp_path)

        assert str(error.value.hint).startswith("delete it")


class TestAStatedPassword:
    def test_is_found_through_another_variable(self) -> None:
        stated = {"DB_PASSWORD": "${RAW:-x}", "RAW": "${DEEPER}", "DEEPER": "pw-1"}

        assert stated_password("${DB_PASSWORD}", stated, {}) == "pw-1"

    def test_that_names_itself_is_the_callers(self) -> None:
        assert stated_password("${PW}", {"PW": "${PW}"}, {"PW": "mine"}) == "mine"
        assert stated_password("${PW}", {"PW": "${QW}", "QW": "${PW}"}, {}) is None

    def test_is_never_a_template(self) -> None:
        assert stated_password("${PW}", {"PW": "a-${RAW}"}, {}) is None
