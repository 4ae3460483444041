"""Four services, one command: what somebody has after `devinit start all`, looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.guestbook import PREFERRED, SERVICES, Guestbook, Outcome, Page, Refused, get
from tests.places import require_git

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PORT_INFO = {"type", "at", "mode", "service", "port", "url", "docs_url", "health_url"}
ELSEWHERE = "http://elsewhere.example:3000"


class TestTheFirstStart:
    """It installs everything, in a path with spaces, brackets and letters beyond ASCII."""

    def test_ends_with_four_services_ready(self, first_start: tuple[Guestbook, Outcome]) -> None:
        summary = first_start[1].events[-1]

        assert {row["service"]: row["phase"] for row in summary["services"]} == dict.fromkeys(
            SERVICES, "ready"
        )
        assert summary["exit_code"] == 0

    def test_says_only_json_objects_on_stdout(self, first_start: tuple[Guestbook, Outcome]) -> None:
        assert all(isinstance(event, dict) for event in first_start[1].events)
        assert {event["type"] for event in first_start[1].events} >= {
            "plan", "port", "environment", "phase", "progress", "port_info", "summary",
        }  # fmt: skip

    def test_announces_each_service_once(self, first_start: tuple[Guestbook, Outcome]) -> None:
        announced = [event for event in first_start[1].events if event["type"] == "port_info"]

        assert sorted(event["service"] for event in announced) == sorted(SERVICES)
        assert all(event.keys() == PORT_INFO for event in announced)
        [backend] = [event for event in announced if event["service"] == "backend"]
        assert backend["mode"] == "preferred"
        assert backend["url"] == f"http://localhost:{backend['port']}"
        assert backend["docs_url"] == f"{backend['url']}/docs"
        assert backend["health_url"] == f"{backend['url']}/health"

    def test_starts_each_service_after_what_it_needs(self, first_start: tuple[Guestbook, Outcome]) -> None:
        told = [
            (event["service"], event["phase"]) for event in first_start[1].events if event["type"] == "phase"
        ]

        assert told.index(("backend", "starting")) > told.index(("postgres", "ready"))
        assert told.index(("backend", "starting")) > told.index(("redis", "ready"))
        assert told.index(("frontend", "starting")) > told.index(("backend", "ready"))

    def test_puts_only_files_into_the_checkout_that_git_ignores(
        self, first_start: tuple[Guestbook, Outcome]
    ) -> None:
        require_git()
        root = first_start[0].root

        def git(*words: str) -> str:
            environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
            return subprocess.run(
                ["git", *words], cwd=root, env=environment, capture_output=True, text=True, check=True
            ).stdout

        git("init", "--quiet")
        untracked = {line[3:].strip('"') for line in git("status", "--porcelain").splitlines()}
        assert untracked == {".gitignore", "README.md", "backend/", "devinit.toml", "frontend/"}
        assert git("status", "--porcelain", "--ignored", "--", ".devinit").startswith("!!")


class TestThePage:
    def test_comes_from_the_frontends_own_address(self, running: Guestbook) -> None:
        assert "<title>Guestbook</title>" in running.page().html

    def test_knows_the_backends_address(self, running: Guestbook) -> None:
        assert running.page().api_url == running.url("backend")

    def test_has_every_module_that_it_imports(self, running: Guestbook) -> None:
        modules = running.page().modules()

        assert {"/src/main.tsx", "/src/App.tsx", "/src/api.ts", "/src/useBackend.ts"} <= modules.keys()

    def test_pins_a_note_that_stands_in_postgresql(self, running: Guestbook) -> None:
        pinned = running.page().pin("von der Seite: grüß Gott, 你好")

        rows = running.query(f"SELECT author, message FROM notes WHERE id = {pinned['id']}")  # noqa: S608  an int
        assert rows == [["Ada", "von der Seite: grüß Gott, 你好"]]

    def test_reads_the_notes_that_stand_in_postgresql(self, running: Guestbook) -> None:
        running.query(
            "INSERT INTO notes (author, message, paper) VALUES ('Grace', 'by hand', 'sky') RETURNING id"
        )

        assert "by hand" in running.page().messages()

    def test_takes_a_note_down(self, running: Guestbook) -> None:
        page = running.page()
        pinned = page.pin("only for a moment")

        page.ask("DELETE", f"/api/notes/{pinned['id']}")

        assert "only for a moment" not in page.messages()

    def test_counts_its_visits_in_redis(self, running: Guestbook) -> None:
        visits = running.page().visit()

        assert running.redis("GET", "visits") == str(visits)
        assert running.page().visit() == visits + 1

    def test_may_be_opened_by_number_as_well_as_by_name(self, running: Guestbook) -> None:
        by_number = Page(running.url("frontend").replace("localhost", "127.0.0.1"))

        assert by_number.ask("GET", "/api/visits") == running.page().ask("GET", "/api/visits")


class TestAnotherOrigin:
    def test_is_refused_by_the_preflight(self, running: Guestbook) -> None:
        foreign = Page(running.url("frontend"), origin=ELSEWHERE)

        with pytest.raises(Refused):
            foreign.preflight("POST", "/api/notes")

    def test_may_not_read_what_it_asks_for_without_one(self, running: Guestbook) -> None:
        foreign = Page(running.url("frontend"), origin=ELSEWHERE)

        with pytest.raises(Refused):
            foreign.ask("GET", "/api/notes")


class TestWhatIsPublished:
    def test_status_says_four_times_ready(self, running: Guestbook) -> None:
        assert running.phases() == dict.fromkeys(SERVICES, "ready")

    def test_status_says_it_for_people_too(self, running: Guestbook) -> None:
        lines = running.devinit("status").out.splitlines()

        expected = [
            f"{name.capitalize()} (port {service['port']}): ✓ Running (pid {service['pid']})"
            for name, service in running.services().items()
        ]
        assert [line.partition("  ")[0] for line in lines] == expected

    def test_the_ports_file_says_where_everything_is(self, running: Guestbook) -> None:
        assert running.remembered == running.ports()

    def test_the_runtime_environment_leads_to_every_service(self, running: Guestbook) -> None:
        values, ports = running.runtime_environment, running.ports()

        assert values["DATABASE_URL"].endswith(f"@127.0.0.1:{ports['postgres']}/guestbook")
        assert values["REDIS_URL"] == f"redis://127.0.0.1:{ports['redis']}/0"
        assert values["VITE_API_URL"] == f"http://localhost:{ports['backend']}"
        assert f"http://localhost:{ports['frontend']}" in values["CORS_ORIGINS"].split(",")
        assert json.loads(values["CORS_ORIGINS_JSON"]) == values["CORS_ORIGINS"].split(",")

    def test_env_and_run_say_the_same(self, running: Guestbook) -> None:
        stated = json.loads(running.devinit("env", "--format", "json").out)
        show = "import json, os; print(json.dumps(dict(os.environ)))"
        inherited = json.loads(running.devinit("run", "--", sys.executable, "-c", show).out)

        written = running.runtime_environment
        assert {name: written[name] for name in stated} == stated
        assert {name: inherited[name] for name in stated} == stated

    def test_the_discovery_file_leads_to_the_process_that_listens(self, running: Guestbook) -> None:
        said = json.loads(running.discovery.read_text())

        assert json.loads(get(said["url"] + "/health"))["status"] == "ok"
        assert said["port"] == running.ports()["backend"]
        assert said["process_id"] in {process.pid for process in running.processes()}
        assert running.discovery.stat().st_mode & 0o777 == 0o600

    def test_a_second_start_changes_nothing(self, running: Guestbook) -> None:
        before = running.pids()

        outcome = running.start("--json")

        assert outcome.events[0]["starting"] == []
        assert running.pids() == before


class TestZeroConfiguration:
    def test_finds_and_starts_the_four_services(self, checkout: Checkouts) -> None:
        guestbook = checkout("shop")
        preferred = guestbook.preferred
        (guestbook.root / "devinit.toml").unlink()

        guestbook.environment |= {f"{name.upper()}_PORT": str(port) for name, port in preferred.items()}
        guestbook.start()

        assert guestbook.phases() == dict.fromkeys(SERVICES, "ready")
        assert guestbook.ports() == preferred
        page = guestbook.page()
        page.pin("without a word of configuration")
        assert page.visit() == 1
        assert guestbook.query("SELECT message FROM notes ORDER BY id DESC LIMIT 1") == [
            ["without a word of configuration"]
        ]

    def test_prefers_the_usual_ports(self, checkout: Checkouts) -> None:
        guestbook = checkout("shop")
        (guestbook.root / "devinit.toml").unlink()

        found = json.loads(guestbook.devinit("ports", "--json").out)["ports"]

        # The example's own file gives the page another port than Vite does.
        usual = PREFERRED | {"frontend": 5173}
        assert {row["service"]: row["preferred_port"] for row in found} == usual
