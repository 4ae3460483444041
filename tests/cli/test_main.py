"""Specifies how words become a command, and errors become a message, a hint and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from devinit.cli.arguments import module_of, parser_of, read
from devinit.cli.main import ACCEPTED, COMMANDS, SYNONYMS, main

WRONG = {
    "unknown command": (["stat"], "there is no command 'stat'", "did you mean `devinit start`?"),
    "a word of other programs": (["boot"], "there is no command 'boot'", "did you mean `devinit start`?"),
    "a word that is nearer to a dangerous one": (
        ["top"],
        "there is no command 'top'",
        "`devinit dashboard`?",
    ),
    "a word like one of other programs": (
        ["configs"],
        "no command 'configs'",
        "did you mean `devinit init`?",
    ),
    "a command with two letters turned": (["inti"], "no command 'inti'", "did you mean `devinit init`?"),
    "nothing like a command": (["qqq"], "there is no command 'qqq'", "`devinit --help` lists the commands"),
    "unknown option before": (["--frob"], "unknown option --frob", "`devinit --help`"),
    "-C without a folder": (["-C"], "-C needs a folder", "devinit -C DIR status"),
    "-C of nothing": (["-C", "/nowhere", "status"], "-C /nowhere: there is no such folder", ""),
    "an option of other programs": (
        ["logs", "--tail=3"],
        "`devinit logs` has no option --tail=3",
        "did you mean -n/--lines?",
    ),
    "unknown option": (["start", "--jsn"], "`devinit start` has no option --jsn", "did you mean --json?"),
    "unknown option of a quick one": (["status", "-x"], "`devinit status` has no option -x", "--help`"),
    "too many words": (["why", "a", "b"], "what is 'b'?", "`devinit why --help`"),
    "too few words": (["why"], "`devinit why` needs SERVICE", "`devinit why --help`"),
    "not a number": (["logs", "-n", "-3"], "-n/--lines: '-3' is not a number of 0 or more", ""),
    "no time": (["start", "--timeout", "nan"], "--timeout: 'nan' is not a number of seconds above 0", ""),
    "no port": (["ports", "set", "a", "70000"], "PORT: '70000' is not a port: ports are 1 to 65535", ""),
    "unknown action": (["ports", "sett"], "'sett'", "`devinit ports --help`"),
    "unknown shell": (["completion", "tcsh"], "'tcsh'", ""),
    "nothing after --": (["run", "--"], "`devinit run` needs a command", ""),
}


class TestAMistake:
    @pytest.mark.parametrize(("words", "message", "hint"), WRONG.values(), ids=WRONG.keys())
    def test_is_refused_with_a_message_and_a_hint(
        self, words: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = main(words)

        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert message in err
        assert hint in err
        assert "Traceback" not in err

    def test_is_an_object_for_a_program(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = main(["status", "--bogus", "--json"])

        answer = json.loads(capsys.readouterr().out)
        assert answer["type"] == "error"
        assert answer["kind"] == "UsageError"
        assert answer["exit_code"] == code == 2
        assert {"message", "hint"} <= set(answer)

    def test_shows_where_it_happened_on_request(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEVINIT_DEBUG", "1")

        main(["stat"])

        assert "Traceback" in capsys.readouterr().err


class TestADefect:
    def test_is_a_message_and_no_traceback(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> int:
            raise ZeroDivisionError("oh")

        monkeypatch.setattr(module_of("schema"), "run", broken)

        code = main(["schema"])

        err = capsys.readouterr().err
        assert code == 1
        assert "ZeroDivisionError: oh" in err
        assert "DEVINIT_DEBUG=1" in err
        assert "Traceback" not in err


class TestCtrlC:
    def test_is_no_defect_while_python_makes_a_class(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Field:
            def __set_name__(self, *_: object) -> None:
                raise KeyboardInterrupt

        monkeypatch.setattr(module_of("schema"), "run", lambda *_: type("Made", (), {"field": Field()}))

        assert main(["schema"]) == 130
        assert "defect" not in capsys.readouterr().err


class TestTheEndOfTheProcess:
    @staticmethod
    def run(code: str, output: int | IO[bytes] = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                sys.executable,
                "-c",
                f"import sys\nfrom devinit.__main__ import run\n{code}\nraise SystemExit(run())",
                "--help",
            ],
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    def test_takes_no_module_apart(self) -> None:
        ended = self.run("class Left:\n    def __del__(self): print('apart')\nsys.left = Left()")

        assert (ended.returncode, b"usage: devinit" in ended.stdout, b"apart" in ended.stdout) == (
            0,
            True,
            False,
        )

    def test_comes_after_what_was_to_be_done_then(self) -> None:
        ended = self.run("import atexit\natexit.register(print, 'done')")

        assert ended.stdout.endswith(b"done\n")

    def test_waits_for_threads(self) -> None:
        ended = self.run(
            "import threading\ndef last():\n threading.main_thread().join()\n print('done')\n"
            "threading.Thread(target=last).start()"
        )

        assert ended.stdout.endswith(b"done\n")

    def test_says_that_output_was_lost(self) -> None:
        with Path("/dev/full").open("wb") as full:
            ended = self.run("", full)

        assert (ended.returncode, b"the output cannot be written" in ended.stderr) == (1, True)


class TestHelp:
    def test_lists_every_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        for words in ([], ["--help"], ["-h"], ["help"]):
            assert main(words) == 0
            out = capsys.readouterr().out
            assert all(f"\n  {name} " in out for name in COMMANDS)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_a_command_has_an_example(self, name: str) -> None:
        text = parser_of(module_of(name), name).format_help()

        assert "example:\n  " in text
        assert "-C DIR" in text

    @pytest.mark.parametrize("words", [["help", "start"], ["start", "--help"], ["start", "-h"]])
    def test_can_be_asked_for_in_several_ways(
        self, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(words) == 0
        assert capsys.readouterr().out.startswith("usage: devinit start")

    def test_of_nothing_is_a_mistake(self) -> None:
        assert main(["help", "nothing"]) == 2

    def test_knows_what_other_programs_call_it(self) -> None:
        assert set(SYNONYMS.values()) <= set(COMMANDS)
        assert not {*SYNONYMS, *ACCEPTED} & set(COMMANDS)
        assert not set(SYNONYMS) & set(ACCEPTED)

    @pytest.mark.parametrize(("word", "command"), [("up", "start"), ("down", "stop"), ("tail", "logs")])
    def test_of_a_word_of_other_programs_is_that_of_the_command(
        self, word: str, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for words in ([word, "--help"], ["help", word]):
            assert main(words) == 0
            assert capsys.readouterr().out.startswith(f"usage: devinit {command}")

    def test_version_is_a_word_as_well(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["version"]) == 0
        assert capsys.readouterr().out.startswith("devinit ")

    @pytest.mark.parametrize("word", ["kill", "config", "rm"])
    def test_of_what_might_do_harm_is_no_command(self, word: str) -> None:
        assert main([word]) == 2

    @pytest.mark.parametrize("word", ["top", "setup", "stdout", "tops"])
    def test_that_stops_nothing_is_no_stop(self, word: str, capsys: pytest.CaptureFixture[str]) -> None:
        main([word])

        assert "stop" not in capsys.readouterr().err.splitlines()[-1]

    @pytest.mark.parametrize(
        "name", ["start", "stop", "restart", "status", "logs", "why", "ports", "env", "init"]
    )
    def test_every_command_that_shows_something_speaks_json(self, name: str) -> None:
        assert "--json" in parser_of(module_of(name), name).format_help()


class TestWords:
    def test_options_may_stand_between_names(self) -> None:
        arguments = read(module_of("start"), "start", ["a", "--json", "b", "--timeout", "2"], None)

        assert (arguments.services, arguments.json, arguments.timeout) == (["a", "b"], True, 2.0)

    def test_a_folder_may_stand_before_or_behind_the_command(self) -> None:
        assert read(module_of("start"), "start", [], "before").directory == "before"
        assert read(module_of("start"), "start", ["-C", "behind"], "before").directory == "behind"
        assert read(module_of("status"), "status", ["-C", "behind"], "before").directory == "behind"
        assert read(module_of("status"), "status", ["--json"], "before").directory == "before"

    def test_json_may_stand_before_or_behind_an_action(self) -> None:
        ports = module_of("ports")

        assert read(ports, "ports", ["--json", "set", "a", "8000"], None).json
        assert read(ports, "ports", ["reset", "--json"], None).json
        assert not read(ports, "ports", ["reset"], None).json

    @pytest.mark.parametrize(
        ("words", "command", "directory"),
        [
            (["--", "sh", "-c", "x"], ["sh", "-c", "x"], None),
            (["sh", "-c", "x"], ["sh", "-c", "x"], None),
            (["-C", "there", "sh", "-C", "x"], ["sh", "-C", "x"], "there"),
            (["-C", "there", "--", "--odd"], ["--odd"], "there"),
            (["ls", "--", "-h"], ["ls", "--", "-h"], None),
        ],
    )
    def test_of_another_program_are_left_to_it(
        self, words: list[str], command: list[str], directory: str | None
    ) -> None:
        arguments = read(module_of("run"), "run", words, None)

        assert (arguments.command, arguments.directory) == (command, directory)
