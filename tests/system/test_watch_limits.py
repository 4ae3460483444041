"""Specifies what is said of files that cannot be watched, by the words of the library that watches them."""

from __future__ import annotations

import pytest

from devinit.system import watch_limits
from devinit.system.watch_limits import in_words

FULL = 'OS file watch limit reached. about ["/home/ada/shop/src"] (Error { kind: MaxFilesWatch, paths: ["/home/ada/shop/src"] })'
"""Of watchfiles 1.1 where fs.inotify.max_user_watches is used up."""
NO_INSTANCE = "Error creating recommended watcher: Too many open files (os error 24)"
"""And where fs.inotify.max_user_instances is."""


@pytest.fixture(autouse=True)
def limits(tmp_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_limits, "limit_of", {"watches": "8192", "instances": "128"}.__getitem__)


class TestAFailure:
    @pytest.mark.parametrize(
        ("error", "limit", "most"), [(FULL, "watches", 8192), (NO_INSTANCE, "instances", 128)]
    )
    def test_of_a_limit_names_it_with_the_cure(self, error: str, limit: str, most: int) -> None:
        problem, cure = in_words(OSError(error))

        assert problem == f"your {limit} of inotify are used up (fs.inotify.max_user_{limit} = {most})"
        assert cure.startswith(
            f"raise it (`sudo sysctl fs.inotify.max_user_{limit}=524288`), or end programs"
        )

    @pytest.mark.parametrize(
        ("error", "problem"),
        [
            ('No such file or directory (os error 2) about ["/a/b c"]', "/a/b c: No such file or directory"),
            (
                'Permission denied (os error 13) about ["/a"] (Error { kind: Io(Os { code: 13 }), paths: ["/a"] })',
                "/a: Permission denied",
            ),
            ("error in underlying watcher: gone", "error in underlying watcher: gone"),
        ],
    )
    def test_of_another_kind_is_one_sentence(self, error: str, problem: str) -> None:
        assert in_words(RuntimeError(error)) == (problem, "")
