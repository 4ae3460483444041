from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.load import load
from devinit.errors import ConfigError, NoProject
from devinit.kinds import KINDS
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.service import Project

Loaded = Callable[..., Project]
Refused = Callable[..., str]
Write = Callable[..., Path]

STACK = """
[services.postgres]
provider = "postgres"
[services.redis]
provider = "redis"
[services.backend]
command = "uvicorn app.main:app --port ${PORT}"
port = 8000
depends_on = ["postgres", "redis"]
[services.worker]
command = "arq app.worker.Settings"
"""


class TestWhatIsNotSaid:
    def test_the_project_is_named_after_its_folder(self, loaded: Loaded, root: Path) -> None:
        project = loaded(STACK)

        assert (project.name, project.root, project.source) == ("shop", root, root / "devinit.toml")

    def test_the_servers_have_their_usual_ports(self, loaded: Loaded) -> None:
        services = loaded(STACK).services

        assert services["postgres"].port is not None
        assert services["redis"].port is not None
        assert (services["postgres"].port.preferred, services["redis"].port.preferred) == (5432, 6379)

    def test_a_process_has_no_port(self, loaded: Loaded) -> None:
        assert loaded(STACK).services["worker"].port is None

    def test_a_port_may_move_by_a_hundred(self, loaded: Loaded) -> None:
        request = loaded(STACK).services["backend"].port

        assert request is not None
        assert (request.first, request.last, request.strict, request.policy) == (8000, 8099, False, None)

    def test_a_range_ends_at_the_highest_port(self, loaded: Loaded) -> None:
        request = loaded('[services.a]\ncommand = "x"\nport = 65500').services["a"].port

        assert request is not None
        assert request.last == 65535

    def test_a_browser_may_connect_to_a_process_and_not_to_a_database(self, loaded: Loaded) -> None:
        services = loaded(STACK).services

        assert services["backend"].port is not None
        assert services["postgres"].port is not None
        assert (services["backend"].port.browser, services["postgres"].port.browser) == (True, False)

    def test_a_service_runs_in_the_projects_folder_on_the_local_host(
        self, loaded: Loaded, root: Path
    ) -> None:
        backend = loaded(STACK).services["backend"]

        assert (backend.directory, backend.host) == (root, "127.0.0.1")

    def test_the_database_is_named_after_the_project(self, loaded: Loaded) -> None:
        database = loaded(f'[project]\nname = "Café-Shop 2"\n{STACK}').services["postgres"].settings

        assert database == PostgresSettings(database="cafe_shop_2", user="cafe_shop_2")

    def test_the_backend_has_a_discovery_file(self, loaded: Loaded) -> None:
        assert loaded(STACK).discovery == {"backend": ".backend-port.json"}

    def test_a_project_without_a_backend_has_none(self, loaded: Loaded) -> None:
        assert loaded('[services.web]\ncommand = "x"\nport = 3000').discovery == {}

    def test_stopping_is_left_to_the_provider(self, loaded: Loaded) -> None:
        assert loaded(STACK).services["postgres"].stop is None

    def test_services_keep_the_order_of_the_file(self, loaded: Loaded) -> None:
        assert list(loaded(STACK).services) == ["postgres", "redis", "backend", "worker"]

    def test_a_file_without_services_is_noted(self, loaded: Loaded) -> None:
        assert "describes no services" in loaded("").notes[0]


class TestTheEnvironment:
    def test_keeps_templates_as_they_are(self, loaded: Loaded) -> None:
        project = loaded('[environment]\nAPI_V1 = "${BACKEND_URL}/api/v1"')

        assert project.environment == {"API_V1": "${BACKEND_URL}/api/v1"}

    def test_turns_numbers_and_truth_into_text(self, loaded: Loaded) -> None:
        project = loaded("[environment]\nWORKERS = 4\nDEBUG = true\nCACHE = false")

        assert project.environment == {"WORKERS": "4", "DEBUG": "true", "CACHE": "false"}

    def test_refuses_a_number_that_would_not_arrive_as_it_is_written(self, refused: Refused) -> None:
        text = refused("[environment]\nVERSION = 1.10")

        assert "environment.VERSION: expected a text in quotes" in text
        assert "put it in quotes" in text

    def test_refuses_a_name_that_a_shell_cannot_read(self, refused: Refused) -> None:
        assert "environment.API-URL: not a name that a shell can read" in refused(
            '[environment]\nAPI-URL = "x"'
        )


class TestDiscovery:
    def test_of_another_service_is_added(self, loaded: Loaded) -> None:
        project = loaded(f'{STACK}port = 8100\n[discovery]\nworker = "frontend/.worker.json"')

        assert project.discovery == {"backend": ".backend-port.json", "worker": "frontend/.worker.json"}

    def test_is_turned_off_by_false(self, loaded: Loaded) -> None:
        assert loaded(f"{STACK}\n[discovery]\nbackend = false").discovery == {}

    def test_refreshes_every_ten_seconds_unless_said_otherwise(self, loaded: Loaded) -> None:
        assert loaded(STACK).discovery_refresh_seconds == 10
        assert loaded(f"[project]\ndiscovery_refresh = 0\n{STACK}").discovery_refresh_seconds == 0

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('backnd = "x.json"', 'discovery.backnd: there is no service "backnd" (did you mean "backend"?)'),
            ('backend = "../port.json"', "discovery.backend: ../port.json lies outside of the project"),
            ('backend = "web/../../port.json"', "web/../../port.json lies outside of the project"),
            ('backend = "/tmp/port.json"', "/tmp/port.json lies outside of the project"),
            ('backend = ".devinit/port.json"', ".devinit/port.json is written for another purpose"),
            ("backend = true", "discovery.backend: expected a file or false, got true"),
            ('backend = ".ports.json"', "discovery.backend: .ports.json is written for another purpose"),
            ('backend = "./devinit.toml"', "is written for another purpose"),
            ('backend = ""', "discovery.backend: not the name of a file"),
            ('worker = "w.json"', "discovery.worker: worker has no port to tell"),
            ('redis = ".backend-port.json"', ".backend-port.json is another service's discovery file"),
        ],
    )
    def test_is_refused_when_it_cannot_be_meant(self, refused: Refused, line: str, said: str) -> None:
        assert said in refused(f"{STACK}\n[discovery]\n{line}")


class TestAProfile:
    def test_is_laid_over_the_file(self, loaded: Loaded) -> None:
        project = loaded(f'{STACK}\n[profiles.ci]\nservices.backend.range = "8000-8010"', "ci")

        request = project.services["backend"].port
        assert request is not None
        assert (request.preferred, request.first, request.last) == (8000, 8000, 8010)

    def test_changes_nothing_when_it_is_not_chosen(self, loaded: Loaded) -> None:
        assert loaded(f"{STACK}\n[profiles.ci]\nservices.backend.port = 9000") == loaded(STACK)

    def test_merges_tables_and_replaces_everything_else(self, loaded: Loaded) -> None:
        text = """
            [services.a]
            command = "x"
            env = { A = "1", B = "1" }
            setup = ["one", "two"]
            [profiles.ci.services.a]
            env = { B = "2" }
            setup = ["three"]
        """

        service = loaded(text, "ci").services["a"]

        assert service.env == {"A": "1", "B": "2"}
        assert service.setup == ("three",)

    def test_may_add_a_service(self, loaded: Loaded) -> None:
        assert "mail" in loaded(f'{STACK}\n[profiles.ci.services.mail]\ncommand = "x"', "ci").services

    def test_may_prove_readiness_in_another_way(self, loaded: Loaded) -> None:
        text = """
            [services.a]
            command = "x"
            port = 8000
            ready = { http = "/health", status = 204, timeout = 5 }
            [profiles.ci]
            services.a.ready.tcp = true
        """

        ready = loaded(text, "ci").services["a"].ready

        assert (ready.http, ready.status, ready.tcp, ready.timeout_seconds) == (None, (), True, 5)

    def test_may_change_a_part_of_how_readiness_is_proven(self, loaded: Loaded) -> None:
        text = """
            [services.a]
            command = "x"
            port = 8000
            ready = { http = "/health", status = 204 }
            [profiles.ci]
            services.a.ready.http = "/healthz"
        """

        ready = loaded(text, "ci").services["a"].ready

        assert (ready.http, ready.status) == ("/healthz", (204,))

    def test_that_is_unknown_is_refused_with_the_nearest(self, refused: Refused) -> None:
        text = refused("[profiles.staging]\nproject.name = 'x'", "stagin")

        assert 'there is no profile "stagin" (did you mean "staging"?)' in text

    def test_is_checked_even_when_it_is_not_chosen(self, refused: Refused) -> None:
        text = refused(f"{STACK}\n[profiles.ci]\nservices.backend.prot = 1")

        assert 'profiles.ci.services.backend.prot: unknown key (did you mean "port"?)' in text

    def test_is_named_when_it_is_what_is_wrong(self, refused: Refused) -> None:
        text = refused(f"{STACK}\n[profiles.ci]\nservices.backend.port = 70000", "ci")

        assert "profiles.ci.services.backend.port: 70000 is not a port" in text

    def test_holds_no_profiles(self, refused: Refused) -> None:
        assert "profiles.ci.profiles: unknown key" in refused("[profiles.ci.profiles.x]")


class TestAFileThatCannotBeRead:
    def test_is_refused_with_line_and_column(self, refused: Refused, root: Path) -> None:
        text = refused("[services.a]\nport = = 3")

        assert text.startswith(f"{root}/devinit.toml, line 2, column 8: invalid value")
        assert "the line is: port = = 3" in text

    def test_shows_no_secret_of_a_line_that_is_wrong(self, refused: Refused) -> None:
        assert "the line is: PASSWORD ***" in refused(f"{STACK}\nPASSWORD: hunter2\n")

    def test_is_refused_where_it_ends_too_early(self, refused: Refused) -> None:
        assert "line 1, column 7: " in refused('a = "b')

    def test_is_refused_when_a_key_is_there_twice(self, refused: Refused) -> None:
        assert "line 3, column 9: cannot overwrite a value" in refused("[services.a]\nport = 1\nport = 2")

    def test_is_refused_when_it_is_not_utf_8(self, root: Path) -> None:
        (root / "devinit.toml").write_bytes("[project]\nname = 'Lädchen'".encode("latin-1"))

        with pytest.raises(ConfigError, match=r"devinit\.toml, line 2: not UTF-8"):
            load(root)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_is_refused_by_the_name_of_its_encoding_when_it_is_utf_16(
        self, root: Path, encoding: str
    ) -> None:
        (root / "devinit.toml").write_bytes("[services.web]\ncommand = 'vite'\n".encode(encoding))

        with pytest.raises(ConfigError, match=r"devinit\.toml, line 1: UTF-16, as Windows PowerS") as caught:
            load(root)

        assert "save it as UTF-8" in str(caught.value.hint)

    def test_is_refused_when_its_tables_are_nested_too_deeply(self, refused: Refused) -> None:
        assert "cannot be parsed: it is nested too deeply" in refused("a = " + "[" * 50_000)

    def test_is_refused_with_no_more_problems_than_a_person_reads(self, refused: Refused) -> None:
        text = refused("".join(f"key{number} = 1\n" for number in range(500)))

        assert "devinit.toml has 100 problems or more:" in text
        assert len(text.splitlines()) < 110

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_is_refused_without_permission(self, root: Path, write: Write) -> None:
        write("devinit.toml").chmod(0)

        with pytest.raises(ConfigError, match=r"devinit\.toml cannot be read: Permission denied"):
            load(root)

    def test_is_refused_when_it_is_a_folder(self, root: Path) -> None:
        (root / "devinit.toml").mkdir()

        with pytest.raises(ConfigError, match=r"devinit\.toml is a directory, not a file"):
            load(root)

    def test_is_refused_when_it_leads_nowhere(self, root: Path) -> None:
        (root / "devinit.toml").symlink_to("nowhere")

        with pytest.raises(ConfigError, match="a link to a file that does not exist"):
            load(root)

    def test_may_begin_with_a_byte_order_mark(self, loaded: Loaded) -> None:
        assert loaded("\ufeff[project]\nname = 'x'").name == "x"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "[project]\nname = 'x'\n[services.a]\ncommand = \"x\\u0000\"",
                "services.a.command: holds a NUL",
            ),
            (f"[services.a]\nport = 0x{'f' * 9000}", "services.a.port: the number is too large"),
            (f"a = {'9' * 9000}", "cannot be parsed"),
            (f"a = {'[' * 9000}", "cannot be parsed"),
            (f"{'a.' * 50_000}a = 1", "line 1, column 1: a key has more than 32 parts"),
        ],
        ids=["nul", "hexadecimal", "digits", "brackets", "dots"],
    )
    def test_is_refused_when_it_is_meant_to_do_harm(self, refused: Refused, text: str, said: str) -> None:
        assert said in refused(text)

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary() | st.text().map(str.encode))
    def test_never_fails_in_another_way(self, root: Path, content: bytes) -> None:
        (root / "devinit.toml").write_bytes(content)

        assert_loads_or_is_refused_by_name(root)

    values = st.recursive(
        st.booleans() | st.integers() | st.floats().map(repr) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    )

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_never_fails_in_another_way_whatever_a_known_key_is_given(
        self, root: Path, data: st.DataObject
    ) -> None:
        from devinit.config.initial import _toml
        from devinit.config.schema import tables

        known = tables(tuple(KINDS.values())).service.__struct_fields__
        keys = data.draw(st.lists(st.sampled_from(known), max_size=4, unique=True))
        lines = [f"{key} = {_toml(data.draw(self.values))}" for key in keys]
        (root / "devinit.toml").write_text(
            "\n".join(["[services.a]", *lines]), encoding="utf-8", errors="replace"
        )

        assert_loads_or_is_refused_by_name(root)


def assert_loads_or_is_refused_by_name(root: Path) -> None:
    try:
        load(root)
    except ConfigError as error:
        named = str(root) in error.message
        assert named, error.message  # noqa: PT017 - both outcomes are right


class TestAFolderWithoutAFile:
    def test_is_detected(self, root: Path, write: Write) -> None:
        write("backend/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")

        project = load(root)

        assert project.source is None
        assert list(project.services) == ["backend"]

    def test_is_refused_when_nothing_is_there(self, root: Path) -> None:
        with pytest.raises(NoProject, match="there is nothing to start in") as caught:
            load(root)

        assert caught.value.hint is not None
        assert "devinit init" in caught.value.hint

    def test_is_refused_with_what_was_not_recognised(self, root: Path, write: Write) -> None:
        write("backend/Main.java")

        with pytest.raises(NoProject) as caught:
            load(root)

        assert caught.value.hint is not None
        assert "backend/: no application was recognised" in caught.value.hint

    def test_has_no_profiles(self, root: Path, write: Write) -> None:
        write("backend/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")

        with pytest.raises(ConfigError, match='there is no profile "ci"'):
            load(root, profile="ci")


class TestAPathThatIsNotPlain:
    def test_may_have_spaces_and_letters_of_any_language(self, root: Path, write: Write) -> None:
        write("Mein Lädchen 店/backend/x")
        file = write("Mein Lädchen 店/devinit.toml", '[services.a]\ncommand = "x"\ndirectory = "backend"')

        project = load(file.parent)

        assert project.name == "Mein Lädchen 店"
        assert project.services["a"].directory == file.parent / "backend"

    def test_may_be_relative(self, root: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        write("devinit.toml")
        monkeypatch.chdir(root)

        assert load(Path()).root == root

    def test_may_be_no_utf_8(self, root: Path) -> None:
        folder = root / os.fsdecode(b"caf\xe9")
        folder.mkdir()
        (folder / "devinit.toml").touch()

        assert load(folder).name == "caf\ufffd"


class TestAFolderIntoWhichEveryUserMayWrite:
    @pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's file")
    def test_starts_nothing_of_a_file_that_another_user_put_there(self, root: Path, write: Write) -> None:
        os.chown(write("devinit.toml", STACK), 12345, 12345)
        root.chmod(0o1777)

        with pytest.raises(ConfigError, match=r"the devinit\.toml in it is another user's"):
            load(root)

    def test_starts_nothing_that_merely_lies_there(self, root: Path, write: Write) -> None:
        write("frontend/package.json", '{"scripts": {"dev": "vite"}}')
        root.chmod(0o1777)

        with pytest.raises(ConfigError, match=r"every user may write into .*/shop, and anything in it"):
            load(root)

    def test_is_a_project_with_a_file_of_ones_own(self, loaded: Loaded, root: Path) -> None:
        root.chmod(0o1777)

        assert set(loaded(STACK).services) == {"postgres", "redis", "backend", "worker"}


class TestAServiceThatIsLeftOutInVain:
    """`[services] NAME = false` of which detection, and the file, know nothing."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "Procfile").write_text("web: python -m http.server $PORT\nworker: python worker.py\n")
        return tmp_path

    @staticmethod
    def notes(root: Path, text: str, profile: str | None = None) -> list[str]:
        (root / "devinit.toml").write_text(text)
        return [note for note in load(root, profile=profile).notes if "leaves" in note]

    def test_is_noted_with_the_names_that_exist(self, root: Path) -> None:
        assert self.notes(root, "[services]\nnosuch = false\n") == [
            "devinit.toml: `nosuch = false` leaves nothing out: services: web, worker"
        ]

    def test_is_noted_with_the_name_that_was_probably_meant(self, root: Path) -> None:
        assert self.notes(root, "[services]\nwrker = false\n") == [
            "devinit.toml: `wrker = false` leaves nothing out: did you mean worker? services: web, worker"
        ]

    def test_is_noted_of_a_profile_too(self, root: Path) -> None:
        text = "[profiles.ci.services]\nnosuch = false\n"

        assert self.notes(root, text, "ci") == [
            "devinit.toml: `nosuch = false` leaves nothing out: services: web, worker"
        ]

    def test_is_noted_without_detection(self, root: Path) -> None:
        text = '[project]\ndetect = false\n[services]\nworker = false\nown = { command = "sleep 9" }\n'

        assert self.notes(root, text) == ["devinit.toml: `worker = false` leaves nothing out: services: own"]

    def test_is_not_what_there_is(self, root: Path) -> None:
        text = (
            '[services]\nworker = false\nown = { command = "sleep 9" }\n'
            "[profiles.ci.services]\nown = false\nweb = false\n"
        )

        assert self.notes(root, text, "ci") == []

    def test_names_the_left_out_ones_too(self, root: Path) -> None:
        assert self.notes(root, "[services]\nworker = false\nnosuch = false\n") == [
            "devinit.toml: `nosuch = false` leaves nothing out: services: web, worker"
        ]


class TestAServiceWithoutACommandThatDetectionDoesNotFind:
    """A devinit.toml that adds to what other files of the repository describe, and misses the name."""

    @staticmethod
    def error(root: Path, text: str) -> ConfigError:
        (root / "devinit.toml").write_text(text)
        with pytest.raises(ConfigError) as refused:
            load(root)
        return refused.value

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "Procfile.dev").write_text(
            "backend: python -m http.server $PORT\nworker: python worker.py\ncss: docker compose up css\n"
        )
        return tmp_path

    def test_names_what_the_other_files_offer(self, root: Path) -> None:
        refused = self.error(root, "[services.api]\nport = 9000\n")

        assert refused.message.endswith("services.api.command: missing")
        assert refused.hint == (
            "found are backend (Procfile.dev, line 1), worker (Procfile.dev, line 2): "
            "give the table the name of one of them, or write `command`, which starts api"
        )

    def test_names_the_one_that_was_probably_meant(self, root: Path) -> None:
        refused = self.error(root, "[services.bakend]\nport = 9000\n")

        assert refused.hint is not None
        assert refused.hint.startswith("did you mean backend? found are backend (Procfile.dev, line 1), ")

    def test_says_why_it_was_left_out(self, root: Path) -> None:
        refused = self.error(root, "[services.css]\nport = 9000\n")

        assert refused.hint == (
            "Procfile.dev, line 3: css is left out: it starts containers; write `command`, which starts css"
        )

    def test_says_so_beside_other_problems(self, root: Path) -> None:
        refused = self.error(root, "[services.api]\nport = 9000\n[services.css]\nport = 9001\n")

        assert "services.api.command: missing (found are backend (Procfile.dev, line 1)" in refused.message
        assert "services.css.command: missing (Procfile.dev, line 3: css is left out" in refused.message

    def test_says_that_nothing_was_looked_for(self, root: Path) -> None:
        refused = self.error(root, "[project]\ndetect = false\n[services.backend]\nport = 9000\n")

        assert refused.hint == (
            "say what starts the service, or choose a built-in provider; "
            "`detect = false` keeps devinit from looking for it in the repository"
        )

    def test_says_that_nothing_was_found(self, tmp_path: Path) -> None:
        refused = self.error(tmp_path, "[services.api]\nport = 9000\n")

        assert refused.hint == (
            "say what starts the service, or choose a built-in provider; "
            "no other file of the repository describes one"
        )


class TestANameThatIsNotUtf8:
    """A repository can bring one along; nothing that is JSON can hold it, and so no record of what runs."""

    @pytest.fixture
    def odd(self, root: Path) -> Path:
        """An application in a folder of such a name."""
        folder = root / os.fsdecode(b"caf\xe9")
        folder.mkdir()
        (folder / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
        (folder / "requirements.txt").write_text("fastapi\n")
        return folder

    def test_of_a_services_folder_is_refused(self, root: Path, odd: Path) -> None:
        with pytest.raises(ConfigError, match="shop/caf\N{REPLACEMENT CHARACTER} is not UTF-8"):
            load(root)

    def test_in_a_command_is_refused(self, root: Path, odd: Path) -> None:
        odd.rename(root / "backend")
        (root / "backend" / "main.py").rename(root / "backend" / os.fsdecode(b"caf\xe9.py"))

        with pytest.raises(ConfigError, match=r"backend: the command .* is not UTF-8"):
            load(root)

    def test_of_the_checkout_is_refused(self, root: Path, odd: Path) -> None:
        (odd / "devinit.toml").write_text('[services.web]\ncommand = "true"\n')

        with pytest.raises(ConfigError, match="is not UTF-8"):
            load(odd)

    def test_stops_nothing_where_nothing_is_detected(self, root: Path, odd: Path) -> None:
        (root / "devinit.toml").write_text('[project]\ndetect = false\n[services.web]\ncommand = "true"\n')

        assert list(load(root).services) == ["web"]
