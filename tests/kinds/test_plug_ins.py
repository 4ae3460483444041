"""Specifies the kinds that other packages bring, on the example in `tests/plug_ins`, which the guide shows too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.plug_ins.environment import Environment, unpack

EXAMPLE = Path(__file__).parents[1] / "plug_ins" / "devinit-mailbox"
PORT = 24610


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    environment = Environment(tmp_path)
    environment.describe(f'[services.mail]\nprovider = "mailbox"\nport = {PORT}\ntitle = "Post"\n')
    yield environment
    environment("stop")


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command says that was refused for the configuration."""
    assert done.returncode == 2, done
    return done.stderr


class TestAKindThatAPackageBrings:
    def test_is_run_by_the_supervisor(self, environment: Environment) -> None:
        environment.install(EXAMPLE)

        started = environment("start")
        try:
            assert started.returncode == 0, started
            [service] = json.loads(environment("status", "--json").stdout)["services"]
            shown = [environment("status").stdout, environment("status", "--all", "--json").stdout]
            with urlopen(service["url"], timeout=10) as page:  # noqa: S310 - a page of our own
                content = page.read().decode()
        finally:
            stopped = environment("stop")

        assert (service["provider"], service["phase"], service["has_pages"]) == ("mailbox", "ready", True)
        assert content == "<h1>Post</h1>"
        assert all(f"http://localhost:{PORT}" in text for text in shown)
        assert stopped.returncode == 0

    def test_runs_on_under_the_next_supervisor_also_when_the_configuration_is_broken(
        self, environment: Environment
    ) -> None:
        environment.install(EXAMPLE)
        environment("start")
        try:
            before = json.loads(environment("status", "--json").stdout)
            os.kill(before["supervisor"]["pid"], 9)
            environment.describe("[services.mail\n")
            after = json.loads(environment("status", "--json").stdout)
        finally:
            stopped = environment("stop")

        assert after["supervisor"]["pid"] != before["supervisor"]["pid"]
        assert [each["pid"] for each in after["services"]] == [each["pid"] for each in before["services"]]
        assert stopped.returncode == 0

    def test_that_is_gone_is_needed_to_take_over_what_runs(self, environment: Environment) -> None:
        environment.install(EXAMPLE)
        environment("start")
        try:
            status = json.loads(environment("status", "--json").stdout)
            os.kill(status["supervisor"]["pid"], 9)
            environment.remove(EXAMPLE)
            without = environment("stop")
        finally:
            environment.install(EXAMPLE)
            stopped = environment("stop")

        assert 'the provider "mailbox" is not there any more' in without.stderr
        assert "install the package again that brought it" in without.stderr
        assert stopped.returncode == 0

    def test_is_not_there_without_the_package(self, environment: Environment) -> None:
        said = refusal(environment("start"))

        assert 'services.mail.provider: there is no provider "mailbox"' in said

    def test_is_meant_by_a_slip_of_the_pen(self, environment: Environment) -> None:
        environment.install(EXAMPLE)
        environment.describe('[services.mail]\nprovider = "mailbux"\n')

        assert 'did you mean "mailbox"?' in refusal(environment("start"))

    def test_has_its_key_in_the_schema_and_nowhere_else(self, environment: Environment) -> None:
        before = properties_of(environment)
        environment.install(EXAMPLE)
        environment.describe('[services.a]\ncommand = "x"\ntitle = "y"\n[services.b]\nprovider = "mailbox"\n')

        after = properties_of(environment)
        said = refusal(environment("start"))

        assert "title" not in before
        assert after["title"]["description"] == (
            "For mailbox: what stands above the mails. Default: Mailbox."
        )
        assert after["provider"]["enum"] == [*before["provider"]["enum"], "mailbox"]
        assert "services.a.title: means nothing for process" in said

    def test_is_listed_by_doctor(self, environment: Environment) -> None:
        environment.install(EXAMPLE)

        shown = environment("doctor").stdout
        report = json.loads(environment("doctor", "--json").stdout)

        assert "mailbox is of devinit-mailbox 1.0" in shown
        assert report["plug_ins"] == {"mailbox": "devinit-mailbox 1.0"}
        assert [each for each in report["findings"] if each["check"] == "plug-ins"] == []


class TestTheRepository:
    def test_brings_no_kinds_however_it_comes_onto_the_path(self, environment: Environment) -> None:
        unpack(EXAMPLE, environment.root)
        trace = environment.root / "was-run"
        with (environment.root / "devinit_mailbox" / "__init__.py").open("a") as module:
            module.write(f"open({str(trace)!r}, 'w').close()\n")

        said = refusal(environment("start", PYTHONPATH=str(environment.root)))

        assert 'there is no provider "mailbox"' in said
        assert not trace.exists()

    @pytest.mark.parametrize("way", ["path", "folder"])
    def test_shadows_neither_an_installed_kind_nor_what_devinit_is_made_of(
        self, environment: Environment, way: str
    ) -> None:
        environment.install(EXAMPLE)
        environment.describe(f'[services.mail]\nprovider = "mailbox"\nport = {PORT}\n')
        trace = environment.root / "was-run"
        hostile = f"open({str(trace)!r}, 'a').write(__name__ + ' ')\n"
        names = (
            "asyncio",
            "devinit_mailbox",
            "difflib",
            "json",
            "logging",
            "msgspec",
            "psutil",
            "socket",
            "tomllib",
        )
        for name in names:
            (environment.root / name).mkdir()
            (environment.root / name / "__init__.py").write_text(hostile)
        python = environment.prefix / "bin" / "python"
        program: tuple[Path | str, ...] = (python, "-m", "devinit")
        variables = {}
        if way == "path":
            script = environment.prefix / "bin" / "devinit"
            script.write_text(f"#!{python}\nimport sys\nfrom devinit.__main__ import run\nsys.exit(run())\n")
            script.chmod(0o755)
            program, variables = (script,), {"PYTHONPATH": str(environment.root)}

        def devinit(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*program, *words],
                cwd=environment.root,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        said = [devinit(*words) for words in (["start"], ["why", "mail"], ["doctor"], ["schema"], ["stop"])]

        assert not trace.exists(), trace.read_text()
        assert [each.returncode for each in said] == [0, 0, 0, 0, 0], said


class TestABrokenPlugIn:
    @pytest.mark.parametrize(
        ("file", "before", "after", "reason"),
        [
            ("kind.py", "from __future__", "import missing\nfrom __future__", "SyntaxError"),
            ("kind.py", "from typing import", "import missing\nfrom typing import", "ModuleNotFoundError"),
            ("kind.py", "from typing import", "raise SystemExit\nfrom typing import", "SystemExit"),
            ("kind.py", "MAILBOX =", "OTHER =", "AttributeError"),
            ("kind.py", "MAILBOX = Kind(", "MAILBOX = dict(", "is not a Kind"),
            ("kind.py", 'name="mailbox"', 'name="letters"', "is called mailbox, its kind letters"),
            ("kind.py", "    title:", "    port:", "declares `port`, a key that every kind may have"),
            ("kind.py", "    title: Annotated[str | None", "    user: Annotated[int | None", "another type"),
            ("kind.py", '{"url_path"}', '{"url_paths"}', "`url_paths` is not a key that kinds share"),
            ("kind.py", "] = None", '] = "x"', "`title` is not optional"),
            ("provider.py", "class MailboxProvider", "class Mailboxes", "AttributeError"),
            ("provider.py", "(WebProvider)", "", "is not a Provider"),
        ],
    )
    def test_is_named_with_the_cure(
        self, environment: Environment, file: str, before: str, after: str, reason: str
    ) -> None:
        environment.install(EXAMPLE)
        path = environment.packages / "devinit_mailbox" / file
        path.write_text(path.read_text().replace(before, after))

        started = environment("start")
        [found] = [
            each
            for each in json.loads(environment("doctor", "--json").stdout)["findings"]
            if each["check"] == "plug-ins"
        ]

        assert started.returncode in (1, 2), started
        for said in (started.stderr, found["problem"]):
            assert 'the provider "mailbox" of devinit-mailbox 1.0 cannot be used' in said
            assert reason in said
        assert "-m pip uninstall devinit-mailbox" in started.stderr
        assert "-m pip uninstall devinit-mailbox" in found["advice"]

    def test_is_left_out_of_the_schema(self, environment: Environment) -> None:
        environment.install(EXAMPLE)
        (environment.packages / "devinit_mailbox" / "kind.py").write_text("raise RuntimeError('boom')\n")

        done = environment("schema")

        assert done.returncode == 0
        assert "mailbox" not in json.dumps(json.loads(done.stdout))
        assert "RuntimeError: boom" in done.stderr

    def test_of_two_packages_neither_counts(self, environment: Environment) -> None:
        environment.install(EXAMPLE)
        about = environment.packages / "devinit_letters-2.0.dist-info"
        shutil.copytree(environment.packages / "devinit_mailbox-1.0.dist-info", about)
        metadata = (about / "METADATA").read_text()
        (about / "METADATA").write_text(metadata.replace("devinit-mailbox", "devinit-letters"))

        said = refusal(environment("start"))

        assert "devinit-letters 1.0" in said
        assert "devinit-mailbox 1.0" in said


def properties_of(environment: Environment) -> dict[str, Any]:
    """Return the keys of a service in the schema. Any: JSON."""
    schema = json.loads(environment("schema").stdout)
    properties: dict[str, Any] = schema["$defs"]["ServiceTable"]["properties"]
    return properties
