"""Specifies the file in which a Redis finds its password."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from devinit.kinds.programs import Origin, Program
from devinit.kinds.redis.acl import with_password, write


class TestTheFile:
    def test_holds_a_hash(self) -> None:
        digest = sha256(b"secret").hexdigest()

        assert with_password("", "secret", channels=True) == f"user default on #{digest} ~* &* +@all\n"

    def test_is_open_to_its_user_alone(self, tmp_path: Path) -> None:
        server = Program(
            origin=Origin.SYSTEM,
            file="/usr/bin/redis-server",
            flavour="redis",
            version="7.0.15",
            major=7,
            size=1,
            modified=1,
        )

        write(tmp_path / "users.acl", "secret", server)

        assert (tmp_path / "users.acl").stat().st_mode & 0o777 == 0o600

    def test_names_no_channels_before_there_were_rules_for_them(self) -> None:
        assert "&" not in with_password("", "secret", channels=False)

    @pytest.mark.parametrize("before", ["user reader on nopass ~* +get\n", "user default on nopass\n\n"])
    def test_has_one_default_user_and_keeps_the_others(self, before: str) -> None:
        after = with_password(before, "secret", channels=True)

        assert after.count("user default ") == 1
        assert "default on nopass" not in after
        assert ("reader" in after) == ("reader" in before)

    def test_stays_the_same_when_nothing_changes(self) -> None:
        once = with_password("user reader on nopass ~* +get\n", "secret", channels=True)

        assert with_password(once, "secret", channels=True) == once
