from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec import Struct
from msgspec.structs import fields

from devinit.config.borrowed import BORROWED, VALUES
from devinit.config.schema import ProjectTable, ServiceTable
from devinit.config.tables import HealthTable, ReadyTable, StopTable, Table, TaskTable
from devinit.model.project_keys import PlainProjectKeys
from devinit.model.service import Condition, PlainServiceKeys, RestartMode

Refused = Callable[..., str]


def keys_of(table: type[Table]) -> set[str]:
    plain: dict[type[Table], type[Struct]] = {ServiceTable: PlainServiceKeys, ProjectTable: PlainProjectKeys}
    return {field.encode_name for each in (table, plain.get(table, Table)) for field in fields(each)}


class TestAnUnknownKey:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[servces.a]", 'servces: unknown key (did you mean "services"?)'),
            ("[services.backend]\nprot = 1", 'services.backend.prot: unknown key (did you mean "port"?)'),
            ("[services.a.ready]\nhtpp = '/'", 'services.a.ready.htpp: unknown key (did you mean "http"?)'),
            ('[services."my api"]\nprot = 1', 'services."my api".prot: unknown key'),
            (
                "[project]\ncolour = 'red'",
                "(known keys: name, discovery_refresh, detect, discovery_per_process, keep_ports, names, urls)",
            ),
        ],
    )
    def test_is_told_with_its_way_and_the_nearest(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)


class TestAKeyOfAnotherProgram:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[services.a]\nprofiles = ['ci']", "[profiles.PROFILE.services.NAME]"),
            ("[services.a]\nprofiles = ['ci']", "`autostart = false`"),
            ("[services.a.healthcheck]\ntest = 'true'", "`ready` says how its start is proven, `health` how"),
            ("[services.a.health]\ninterval = 5", "devinit calls it `every`"),
            ("[services.a.health]\nretries = 5", "devinit calls it `failures`"),
            ("[services.a.health]\nstart_period = 5", "`ready.timeout` limits the time before"),
            ("[services.a]\ninterval = 5", "devinit calls it `health.every`"),
            ("[services.a]\nstart_period = 5", "devinit calls it `ready.timeout`"),
            ("[services.a]\nrestart_policy = 'always'", "devinit calls it `restart`"),
            ("[services.a.environment]\nA = '1'", "devinit calls it `env`"),
            ("[services.a]\nworking_dir = 'x'", "devinit calls it `directory`"),
            ("[services.a]\nworking-dir = 'x'", "devinit calls it `directory`"),
            ("[services.a]\nimage = 'x'", "it is for docker"),
            ("[services.a]\nprivileged = true", "never with rights on this machine"),
            ("[services.a]\ncontainer_name = 'x'", "[services.NAME]"),
            ("[services.a]\nvolumes = ['x']", "it is for docker"),
            ("[services.a]\nnetworks = ['x']", "nothing is mounted or connected"),
            ("[services.a]\nports = ['80:80']", "`port`, further ones are `extra_ports`"),
            ("[services.a]\ndiscovery = 'x'", "[discovery] at the top of the file"),
            ("[processes.a]\ncommand = 'x'", "[services.NAME]"),
            ("[profiles.ci.env]\nA = '1'", "devinit calls it `environment`"),
            ("[services.a]\nrestart = 'unless-stopped'", 'did you mean "always"?'),
            ("[services.a]\nrestart = 'no'", 'did you mean "never"?'),
            ("[services.a.depends_on]\nb = 'service_healthy'", 'did you mean "ready"?'),
        ],
    )
    def test_is_told_with_what_to_write_instead(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)

    @pytest.mark.parametrize("table", BORROWED)
    def test_is_none_that_devinit_has(self, table: type[Table]) -> None:
        assert BORROWED[table].keys().isdisjoint(keys_of(table))

    @pytest.mark.parametrize("table", BORROWED)
    def test_is_explained_by_keys_that_there_are(self, table: type[Table]) -> None:
        known = keys_of(table) | {f"health.{key}" for key in keys_of(HealthTable)}
        known |= {f"ready.{key}" for key in keys_of(ReadyTable)} | {
            f"stop.{key}" for key in keys_of(StopTable)
        }
        # What is said of the file names keys of its services and tasks, and a key with its value.
        known |= (
            keys_of(ServiceTable) | keys_of(TaskTable) | {"autostart = false", "devinit logs NAME --path"}
        )

        hints = " ".join(BORROWED[table].values())

        assert set(re.findall(r"`([^`]+)`", hints)) <= known

    def test_has_values_that_devinit_does_not_have(self) -> None:
        ours = {str(each.value) for each in (*RestartMode, *Condition)}

        assert set(VALUES.values()) <= ours
        assert ours.isdisjoint(VALUES)


class TestAWrongType:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('port = "8000"', 'expected a whole number, got the text "8000" (write it without quotes)'),
            ("port = true", "expected a whole number, got true"),
            ("port = 80.5", "expected a whole number, got the number 80.5"),
            ("port = [1]", "expected a whole number, got a list"),
            ("command = 3", "expected a text in quotes, got the number 3"),
            ("optional = 'yes'", 'expected true or false, got the text "yes"'),
            ("ready = 'http'", 'expected a table, got the text "http"'),
            ("depends_on = 1", "expected a text in quotes or a list of texts or a table, got the number 1"),
            ("restart = 3", 'expected "on-failure" or "always" or "never" or a table, got the number 3'),
            (
                "restart = 'allways'",
                '"allways" is not one of on-failure, always, never (did you mean "always"?)',
            ),
            ("on_conflict = 'explode'", '"explode" is not one of ask, kill, move, reuse, fail'),
            ("command = 2024-01-01", "got the date 2024-01-01"),
            ("command = 10:00:00", "got the time 10:00:00"),
            (f"port = '{'x' * 99}'", f'got the text "{"x" * 40}…"'),
        ],
    )
    def test_is_told_with_what_was_expected_and_what_was_found(
        self, refused: Refused, line: str, said: str
    ) -> None:
        text = refused(f"[services.a]\n{line}")

        assert f"services.a.{line.split(maxsplit=1)[0]}: " in text
        assert said in text

    @pytest.mark.parametrize(
        ("line", "key"),
        [
            ("depends_on = ['a', 1]", "services.a.depends_on[1]"),
            ("depends_on = { db = 'complete' }", "services.a.depends_on.db"),
            ("env.VERSION = 1.5", "services.a.env.VERSION"),
            ("extra_ports.hmr = 'x'", "services.a.extra_ports.hmr"),
            ("ready.status = [200, 'x']", "services.a.ready.status[1]"),
            ("restart.mode = 'x'", "services.a.restart.mode"),
            ("ready.timeout = 'x'", "services.a.ready.timeout"),
        ],
    )
    def test_inside_a_value_is_told_where_it_is(self, refused: Refused, line: str, key: str) -> None:
        assert f"{key}: " in refused(f"[services.a]\n{line}")


class TestSeveralSlips:
    def test_are_told_together(self, refused: Refused) -> None:
        text = refused("[services.a]\nprot = 1\nport = 'x'\n[services.b]\nport = 'y'\n[projct]")

        assert "devinit.toml has 4 problems:" in text
        for key in ("services.a.prot", "services.a.port", "services.b.port", "projct"):
            assert f"\n  {key}: " in text
