"""Specifies who counts as another person with an account on the machine."""

from __future__ import annotations

import os
import pwd

import pytest

from devinit.system.accounts import open_to, other_people, people


def an_entry(name: str, uid: int, shell: str = "/bin/bash") -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", f"/home/{name}", shell))


class TestPeople:
    def test_are_those_with_a_shell_beside_the_user(self) -> None:
        entries = [an_entry("root", 0), an_entry("ada", 1000), an_entry("bob", 1001, "/usr/bin/zsh")]

        assert people(entries, 1000) == ("bob",)
        assert people(entries, 0) == ("ada", "bob")

    @pytest.mark.parametrize(
        ("uid", "shell"),
        [
            (33, "/bin/bash"),
            (999, "/bin/sh"),
            (65534, "/bin/sh"),
            (1001, "/usr/sbin/nologin"),
            (1001, "/sbin/nologin"),
            (1001, "/bin/false"),
            (1001, "/run/current-system/sw/bin/nologin"),
        ],
    )
    def test_are_no_accounts_of_the_system(self, uid: int, shell: str) -> None:
        assert people([an_entry("daemon", uid, shell)], 1000) == ()

    def test_may_have_the_default_shell(self) -> None:
        assert people([an_entry("bob", 1001, "")], 1000) == ("bob",)

    def test_are_named_once(self) -> None:
        assert people([an_entry("bob", 1001), an_entry("bob", 1001)], 1000) == ("bob",)

    def test_of_this_machine_do_not_include_the_user(self) -> None:
        assert pwd.getpwuid(os.geteuid()).pw_name not in other_people()


class TestTheSentence:
    def test_names_a_few(self) -> None:
        assert open_to(("a", "b", "c", "d")).endswith("(a, b, c …)")
