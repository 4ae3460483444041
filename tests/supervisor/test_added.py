"""Specifies what is answered about a service that is new in devinit.toml, or that it does not have any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.places import state_of

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, Shop

HINT = "`devinit start fresh` starts it"


@pytest.fixture
def grown(shop: Shop, free_ports: FreePorts) -> Shop:
    """A project that runs, and whose file has had another service since."""
    ports = free_ports(3)
    shop.service("web", port=ports[0])
    shop.up()
    shop.service("fresh", port=ports[1], extra_ports={"admin": ports[2]})
    return shop


@pytest.fixture
def shrunk(shop: Shop, free_ports: FreePorts) -> Shop:
    """A project of which a service runs that its file does not have any more."""
    ports = free_ports(2)
    shop.service("web", port=ports[0])
    shop.service("gone", port=ports[1])
    shop.up()
    shop.remove("gone")
    return shop


class TestAServiceThatIsNewInTheFile:
    def test_is_explained_as_stopped_with_the_command_that_starts_it(self, grown: Shop) -> None:
        answer = grown("why", "fresh", "--json")

        assert answer.returncode == 0, answer.stderr
        report = json.loads(answer.stdout)
        assert (report["phase"], report["changed"]) == ("stopped", ["added"])
        assert HINT in report["reason"]
        assert report["probe"].startswith("accepts connections on")
        assert [each["name"] for each in report["extra_ports"]] == ["fresh.admin"]

    @pytest.mark.parametrize(("words", "code"), [(("check", "fresh"), 1), (("wait", "fresh"), 1)])
    def test_is_not_well_until_it_is_started(self, grown: Shop, words: tuple[str, ...], code: int) -> None:
        answer = grown(*words)

        assert answer.returncode == code
        assert HINT in answer.stdout

    @pytest.mark.parametrize("words", [("stop", "fresh"), ("stop", "--force", "fresh")])
    def test_is_nothing_to_stop(self, grown: Shop, words: tuple[str, ...]) -> None:
        answer = grown(*words)

        assert (answer.returncode, answer.stderr) == (0, "nothing to stop\n")
        assert grown.status()["web"]["phase"] == "ready"

    def test_is_refused_by_open_until_it_is_started(self, grown: Shop) -> None:
        answer = grown("open", "fresh")

        assert answer.returncode == 1
        assert answer.stderr == f"error: fresh is stopped\n  {HINT}\n"

    def test_has_printed_nothing(self, grown: Shop) -> None:
        answer = grown("logs", "fresh")

        assert (answer.returncode, answer.stderr) == (0, "nothing has been printed yet\n")

    def test_is_inspected_and_has_its_port_chosen_on_the_wire(self, grown: Shop) -> None:
        with grown.subscribe() as wire:
            assert wire.ask("inspect", service="fresh")["environment"]["FRESH_ADMIN_PORT"]
            assert wire.ask("confirm", service="fresh") == {"phase": "stopped"}
            chosen = wire.ask("choose_port", service="fresh")
            assert grown.status()["fresh"]["port"] == chosen["port"]
            assert list(wire.ask("forget_ports", services=["fresh"])) == ["fresh"]

    def test_has_one_row_in_status_whether_or_not_a_supervisor_gives_it(self, grown: Shop) -> None:
        beside = grown.status()["fresh"]
        with grown.subscribe() as wire:
            assert wire.ask("status", measure=False)["services"][-1] == beside
        assert grown("stop").returncode == 0

        assert grown.status()["fresh"] == {**beside, "changed": []}

    def test_is_not_taken_over_by_a_question(self, grown: Shop) -> None:
        for words in (("why", "fresh"), ("check", "fresh"), ("stop", "fresh")):
            grown(*words)

        assert grown.status()["fresh"]["changed"] == ["added"]
        grown.up("fresh")
        assert grown.status()["fresh"]["changed"] == []

    def test_is_not_called_unknown_when_the_file_is_broken(self, grown: Shop) -> None:
        (grown.root / "devinit.toml").write_text("[services.fresh\n")

        answer = grown("why", "fresh")

        assert answer.returncode == 2
        assert "devinit.toml" in answer.stderr
        assert "there is no service" not in answer.stderr
        assert grown("why", "web").returncode == 0

    def test_differs_from_a_name_that_stands_nowhere(self, grown: Shop) -> None:
        for command in ("why", "check", "wait", "stop", "open", "logs"):
            answer = grown(command, "fersh")

            assert answer.returncode == 2
            assert "there is no service 'fersh'" in answer.stderr
            assert "did you mean fresh?" in answer.stderr


class TestAServiceOfAProfile:
    def test_has_logs_under_the_profile_that_was_started(self, shop: Shop, free_ports: FreePorts) -> None:
        ports = free_ports(2)
        shop.service("web", port=ports[0])
        shop.write(more=f'[profiles.full.services.extra]\ncommand = "{shop.command()}"\nport = {ports[1]}\n')
        shop.up("web", "--profile", "full")

        answer = shop("logs", "extra")

        assert (answer.returncode, answer.stderr) == (0, "nothing has been printed yet\n")


class TestAServiceThatLeftTheFileAndRuns:
    def test_is_answered_for_like_any_other(self, shrunk: Shop) -> None:
        report = json.loads(shrunk("why", "gone", "--json").stdout)
        assert (report["phase"], report["changed"]) == ("ready", ["removed"])
        assert "outdated    not in the configuration any more" in shrunk("why", "gone").stdout
        for words in (("check", "gone"), ("wait", "gone"), ("logs", "gone"), ("open", "gone")):
            assert shrunk(*words).returncode == 0, words

    def test_has_logs_also_when_they_were_deleted(self, shrunk: Shop) -> None:
        (state_of(shrunk.root) / "logs" / "gone.log").unlink()

        answer = shrunk("logs", "gone")

        assert answer.returncode == 0
        assert "the logs of gone were deleted" in answer.stderr

    @pytest.mark.parametrize("command", ["start", "restart"])
    def test_is_not_started_again_and_the_refusal_says_why(self, shrunk: Shop, command: str) -> None:
        answer = shrunk(command, "gone")

        assert answer.returncode == 2
        assert "gone runs, but is not in the configuration any more" in answer.stderr
        assert "`devinit stop gone` stops it" in answer.stderr

    def test_is_stopped_by_its_name_and_shown_as_removed_after_that(self, shrunk: Shop) -> None:
        assert shrunk("stop", "gone").returncode == 0

        row = shrunk.status()["gone"]
        assert (row["phase"], row["changed"]) == ("stopped", ["removed"])
