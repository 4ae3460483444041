"""Specifies `devinit.supervisor.diagnosis.remedies`: words of a shell that say little, and what is to be done about them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.supervisor.diagnosis.remedies import remedy_of, with_limit
from devinit.system.limits import LARGER_FILES, MORE_PROCESSES, QUOTA, ROOM

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop


class TestACommandForAnotherShell:
    @pytest.mark.parametrize(
        ("said", "advice"),
        [
            ("sh: 1: source: not found", "`source` is a word of bash"),
            ("sh: line 1: nvm: command not found", "`nvm` is a function of your interactive shell"),
            ("sh: 1: conda: not found", "conda run --no-capture-output"),
            ("CondaError: Run 'conda init' before 'conda activate'", "conda run --no-capture-output"),
            ("sh: 1: [[: not found", "`[[` is a word of bash"),
            ("zsh:1: command not found: uvicron", None),
            ("sh: 1: uvicron: not found", None),
        ],
    )
    def test_is_said_what_it_is(self, said: str, advice: str | None, tmp_path: Path) -> None:
        found = remedy_of([said], "", tmp_path)

        assert found is None if advice is None else advice in (found or "")

    def test_fails_with_that_in_its_reason(self, shop: Shop) -> None:
        # In the words of dash, whatever sh is here.
        shop.service("web", command="echo 'sh: 1: source: not found'; exit 127")
        shop.service("made", setup=["echo 'sh: 1: nvm: not found'; exit 127"])

        started = shop("start")

        assert "web failed: exited with code 127 before it was ready: source: not found" in started.stderr
        assert "\n  `source` is a word of bash, and sh runs this" in started.stderr
        assert "`nvm` is a function of your interactive shell" in started.stderr


class TestALimitOfTheSystem:
    @pytest.mark.parametrize(
        ("cause", "code", "cure"),
        [
            ('could not write block 8 in file "base/1/2": wrote only 4096 of 8192 bytes', 1, ROOM),
            ("OSError: [Errno 28] No space left on device: 'a.db'", 1, ROOM),
            ("Error: ENOSPC: no space left on device, write", 1, ROOM),
            ("OSError: [Errno 27] File too large", 1, LARGER_FILES),
            ("OSError: [Errno 122] Disk quota exceeded", 1, QUOTA),
            ("Fatal: Can't initialize Background Jobs.", 1, MORE_PROCESSES),
            (
                "Fatal: Can't initialize Background Jobs. Error message: Resource temporarily unavailable",
                1,
                MORE_PROCESSES,
            ),
            (
                "could not fork new process for connection: Resource temporarily unavailable",
                1,
                MORE_PROCESSES,
            ),
            ("sh: 0: Cannot fork: Resource temporarily unavailable", 2, MORE_PROCESSES),
            ("bash: fork: retry: Resource temporarily unavailable", 1, MORE_PROCESSES),
            ("RuntimeError: can't start new thread", 1, MORE_PROCESSES),
            ("Error: spawn /usr/bin/node EAGAIN", 1, MORE_PROCESSES),
            ("runtime: failed to create new OS thread (have 5 already; errno=11)", 2, MORE_PROCESSES),
            ("BlockingIOError: [Errno 11] Resource temporarily unavailable", 1, None),
            ("Error: ENOSPC: no space left on device, watch '/shop'", 1, None),
            ("KeyError: 'SECRET_KEY'", 1, None),
        ],
    )
    def test_that_a_cause_names_is_told_with_what_helps(
        self, cause: str, code: int, cure: str | None
    ) -> None:
        assert with_limit(cause, code) == (f"{cause}\n{cure}" if cure else cause)

    @pytest.mark.parametrize("code", [-25, 128 + 25])
    def test_on_the_size_of_files_is_told_by_the_signal_and_by_a_shell(self, code: int) -> None:
        assert (
            with_limit(None, code) == f"a file of it reached the limit on the size of files\n{LARGER_FILES}"
        )

    def test_on_the_size_of_files_is_the_reason_of_a_service_that_met_it(self, shop: Shop, port: int) -> None:
        path = shop.root / "grow.py"
        path.write_text(
            "import resource, signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
            "open('big', 'wb', 0).write(bytes(1024)); open('big', 'ab', 0).write(b'1')\n"
        )
        shop.service("api", command=f"{sys.executable} -S -E {path}", port=port)

        said = shop("start").stderr

        assert (
            "api failed: was ended by signal 25 before it was ready: a file of it reached the limit" in said
        )
        assert "\n  `ulimit -f` shows how large a file may become" in said


class TestAScriptWithWindowsLineEnds:
    @pytest.mark.parametrize(
        ("command", "content"),
        [
            ("./run.py", "#!/usr/bin/env python3\r\nprint()\r\n"),
            ("sh run", "set -e\r\necho\r\n"),
            ("bash tools/run.sh --fast", "set -e\r\necho\r\n"),
            ("tools/run.sh && true", "echo\r\n"),
        ],
    )
    def test_is_named_with_what_helps(self, command: str, content: str, tmp_path: Path) -> None:
        path = tmp_path / next(word for word in command.split() if "run" in word)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode())
        path.chmod(0o755)

        assert "run" in (found := remedy_of(["Illegal option -"], command, tmp_path) or "")
        assert "has Windows line ends (CRLF)" in found
        assert "eol=lf" in found

    def test_is_none_that_another_program_reads(self, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_bytes(b"import sys\r\nsys.exit(1)\r\n")

        assert remedy_of(["Traceback"], "python app.py", tmp_path) is None
        assert remedy_of(["Traceback"], "python ./app.py", tmp_path) is None
