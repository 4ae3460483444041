"""Specifies services that end by themselves: jobs that are finished, and workers that gave up before they were ready."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.supervisor.conftest import Shop

NEVER_SEEN = [{"log": "at work"}, {"exec": "test -e never"}, {"after": 30}]
"""What a worker that gives up at once does not live to show."""


class TestAServiceThatEndsWithCode0:
    @pytest.mark.parametrize("ready", NEVER_SEEN, ids=lambda ready: next(iter(ready)))
    def test_before_its_ready_was_seen_has_failed(self, shop: Shop, ready: dict[str, object]) -> None:
        shop.service("worker", "say=CRITICAL:_there_is_no_queue", "exit=0", ready=ready)
        shop.service("web", "never", ready={"after": 0}, depends_on=["worker"])

        start = shop("start")

        assert start.returncode == 1
        assert "0 of 2 services ready" in start.stdout
        assert "worker failed: exited with code 0 before it was ready" in start.stderr
        assert "a job that is done when it ends needs no `ready`" in start.stderr
        assert "CRITICAL:_there_is_no_queue" in start.stderr
        assert shop.status()["web"]["reason"] == "waits for worker, which failed"
        assert shop.pids("web") == []

    def test_and_printed_just_before_what_its_ready_waits_for_was_ready(self, shop: Shop) -> None:
        shop.service("migrate", "say=migrated", "exit=0", ready={"log": "migrated"})
        shop.service("web", "never", ready={"after": 0}, depends_on=["migrate"])

        start = shop.up()

        assert start.phases()[-4:].count(("web", "ready")) == 1
        assert {name: each["phase"] for name, each in shop.status().items()} == {
            "migrate": "exited",
            "web": "ready",
        }

    def test_without_a_ready_has_finished_and_its_dependants_start(self, shop: Shop) -> None:
        shop.service("migrate", "exit=0")
        shop.service("web", "never", ready={"after": 0}, depends_on=["migrate"])

        start = shop("start")

        assert start.returncode == 0
        assert "1 of 2 services ready, 1 finished in" in start.stdout
        assert shop("status").stdout.splitlines()[0] == "Migrate: ✓ Finished"

    def test_without_a_ready_is_called_finished_among_all_projects(self, shop: Shop) -> None:
        shop.service("migrate", "exit=0")
        shop.service("web", "never", ready={"after": 0})
        shop.up()

        assert "migrate finished  web" in shop("status", "--all").stdout


class TestWhatHasEnded:
    def test_is_as_it_was_for_the_next_supervisor(self, shop: Shop) -> None:
        shop.service("migrate", "exit=0")
        shop.service("broken", command="sh -c 'echo Error: no schema >&2; exit 3'")
        shop.service("web", "never", ready={"after": 0}, depends_on={"migrate": "completed"})
        assert shop("start").returncode == 1
        before = {name: json.loads(shop("why", name, "--json").stdout) for name in ("migrate", "broken")}

        shop.kill_supervisor()

        listed = shop("status").stdout
        after = {name: json.loads(shop("why", name, "--json").stdout) for name in before}
        assert "Migrate: ✓ Finished" in listed
        assert "Broken: ✗ Failed: exited with code 3" in listed
        for name, was in before.items():
            told = ("phase", "reason", "last_exit", "restarts", "log_tail")
            assert [after[name][key] for key in told] == [was[key] for key in told]
            assert after[name]["since_seconds"] > was["since_seconds"]
        assert (after["migrate"]["phase"], after["migrate"]["last_exit"]) == ("exited", 0)

    def test_is_so_where_nothing_else_runs(self, shop: Shop) -> None:
        shop.service("migrate", "exit=0")
        shop.up()

        shop.kill_supervisor()

        assert shop("status").stdout == "Migrate: ✓ Finished\n"
        assert shop("stop").returncode == 0
        assert shop("status").stdout == "Migrate: ✗ Not running\n"

    def test_is_stopped_after_a_stop(self, shop: Shop) -> None:
        shop.service("migrate", "exit=0")
        shop.service("web", "never", ready={"after": 0})
        shop.up()
        shop("stop", "migrate")

        shop.kill_supervisor()

        assert shop.status()["migrate"]["phase"] == "stopped"


class TestAJobThatOthersWaitFor:
    """With `depends_on = { migrate = "completed" }`."""

    def test_holds_them_back_until_it_has_ended(self, shop: Shop) -> None:
        shop.service("codegen", command="sh -c 'read _ < gate; echo made > made.txt'")
        shop.service(
            "web",
            "never",
            before_start="cat made.txt",
            ready={"after": 0},
            depends_on={"codegen": "completed"},
        )
        os.mkfifo(shop.root / "gate")
        start = shop.begin("start")

        # It is longer at work than a service without a port takes to be called ready.
        start.until(type="progress", service="codegen", message="it has not ended yet")
        assert ("codegen", "ready") not in start.phases()
        assert shop.status()["codegen"]["phase"] == "starting"
        assert shop.status()["web"]["phase"] == "waiting"
        why = json.loads(shop("why", "web", "--json").stdout)
        assert why["depends_on"] == [{"name": "codegen", "phase": "starting", "condition": "completed"}]
        assert "codegen (starting; must have completed)" in shop("why", "web").stdout

        (shop.root / "gate").write_text("go\n")
        assert start.finish() == 0, start.seen
        assert {name: each["phase"] for name, each in shop.status().items()} == {
            "codegen": "exited",
            "web": "ready",
        }

    @pytest.mark.parametrize("words", ["Error: no schema", "no schema"])
    def test_and_that_fails_holds_them_back_with_its_reason(self, shop: Shop, words: str) -> None:
        shop.service("codegen", command=f"sh -c 'echo {words} >&2; exit 3'")
        shop.service("web", "never", ready={"after": 0}, depends_on={"codegen": "completed"})

        start = shop("start")

        assert start.returncode == 1
        assert "codegen failed: exited with code 3: no schema" in start.stderr
        reason = "waits for codegen, which failed: exited with code 3: no schema"
        assert shop.status()["web"]["reason"] == reason
        assert shop.pids("web") == []

    def test_has_all_the_time_that_it_takes(self, shop: Shop) -> None:
        shop.service("codegen", command="sh -c 'sleep 2'", ready={"timeout": 0.5})
        shop.service("web", "never", ready={"after": 0}, depends_on={"codegen": "completed"})

        assert ("web", "ready") in shop.up().phases()


class TestAServiceThatOthersOnlyWantStarted:
    def test_is_not_waited_for_to_be_ready(self, shop: Shop) -> None:
        shop.service("api", "never", ready={"log": "never seen", "timeout": 60})
        shop.service("web", "never", ready={"after": 0}, depends_on={"api": "started"})
        start = shop.begin("start")

        start.until(type="phase", service="web", phase="ready")
        assert shop.status()["api"]["phase"] == "starting"
