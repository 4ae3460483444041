"""Specifies `devinit.sources.merging`: what several sources say together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from devinit.model.defaults import preferring
from devinit.model.evidence import Evidence
from devinit.model.service import Condition, DatabaseSettings, Readiness, Service
from devinit.sources.merging import merged
from devinit.sources.source import Found, Weight

ROOT = Path("/shop")
BACKEND = ROOT / "backend"


def server(name: str, port: int, directory: Path = BACKEND, **keys: Any) -> Service:
    """Return a command with a port."""
    return Service(
        name=name,
        directory=directory,
        port=preferring(name, port, browser=True),
        **{"command": f"serve-{name}", **keys},
    )


def worker(name: str, directory: Path = ROOT, **keys: Any) -> Service:
    """Return a command without a port."""
    return Service(name=name, directory=directory, **{"command": f"work-{name}", **keys})


def database(kind: str, name: str | None = None) -> Service:
    return Service(name=name or kind, provider=kind, directory=ROOT)


def listed(*services: Service, weight: Weight = Weight.PROCESSES, **keys: Any) -> Found:
    """Return what a list of processes says: each line is evidence for a command."""
    evidence = {
        each.name: (Evidence(about="command", file="Procfile.dev", line=line, says=each.name),)
        for line, each in enumerate(services, start=1)
    }
    named = {each.name: each for each in services}
    return Found(
        **{"origin": "Procfile.dev", "weight": weight, "services": named, "evidence": evidence, **keys}
    )


def recognised(*services: Service, **keys: Any) -> Found:
    """Return what the folders show."""
    found = listed(*services, weight=Weight.APPLICATIONS, **keys)
    evidence = {
        name: tuple(Evidence(about=each.about, file=f"{name}/main.py", line=each.line) for each in lines)
        for name, lines in found.evidence.items()
    }
    return Found(
        origin="folders", weight=found.weight, services=found.services, evidence=evidence, notes=found.notes
    )


class TestNothing:
    def test_is_what_no_source_says(self) -> None:
        found = merged([])

        assert (found.services, found.notes) == ({}, ())

    def test_keeps_the_notes_of_a_source_that_found_nothing(self) -> None:
        found = merged([listed(notes=("line 1 is left out",)), recognised(server("backend", 8000))])

        assert list(found.services) == ["backend"]
        assert found.notes == ("line 1 is left out",)


class TestAJobThatAServerDoesByItself:
    def test_is_no_service_beside_it(self) -> None:
        backend = server("backend", 8000, before_start=("alembic upgrade head",))
        job = worker("migrate", BACKEND, command="python -m alembic upgrade head")
        waiting = server(
            "backend", 8000, depends_on=("migrate",), conditions={"migrate": Condition.COMPLETED}
        )

        found = merged([recognised(backend), listed(job, waiting, weight=Weight.CONTAINERS)])

        assert list(found.services) == ["backend"]
        assert found.services["backend"].depends_on == ()
        assert found.notes[-1].endswith(
            "no service of its own, because backend runs the same before each start"
        )

    def test_is_one_where_it_does_something_else(self) -> None:
        backend = server("backend", 8000, before_start=("alembic upgrade head",))
        job = worker("tables", BACKEND, command="python make_tables.py")
        waiting = server("backend", 8000, depends_on=("tables",), conditions={"tables": Condition.COMPLETED})

        found = merged([recognised(backend), listed(job, waiting, weight=Weight.CONTAINERS)])

        assert set(found.services) == {"backend", "tables"}


class TestOneApplicationInTwoSources:
    def test_is_one_service_when_both_are_servers_in_the_same_folder(self) -> None:
        found = merged([recognised(server("backend", 8000)), listed(server("web", 5000))])

        assert list(found.services) == ["web"]

    def test_is_one_service_when_it_has_the_same_name(self) -> None:
        found = merged([listed(server("backend", 5000, ROOT)), recognised(server("backend", 8000))])

        assert list(found.services) == ["backend"]
        assert found.services["backend"].directory == ROOT

    def test_has_the_command_of_the_greater_weight(self) -> None:
        found = merged([recognised(server("backend", 8000)), listed(server("web", 5000))])

        assert found.services["web"].command == "serve-web"

    def test_has_the_evidence_of_both(self) -> None:
        found = merged([listed(server("web", 5000)), recognised(server("backend", 8000))])

        assert [each.place for each in found.evidence["web"]] == [
            "Procfile.dev, line 1",
            "backend/main.py, line 1",
        ]

    def test_takes_over_what_only_the_other_one_knows(self) -> None:
        known = server(
            "backend",
            8000,
            before_start=("migrate",),
            docs_path="/docs",
            ready=Readiness(http="/health"),
            depends_on=("postgres",),
        )

        found = merged([listed(server("web", 5000)), recognised(database("postgres"), known)])

        web = found.services["web"]
        assert (web.before_start, web.docs_path, web.ready.http) == (("migrate",), "/docs", "/health")
        assert web.depends_on == ("postgres",)

    def test_in_another_folder_takes_over_nothing_that_runs_there_and_says_so(self) -> None:
        known = server("backend", 8000, before_start=("migrate",), ready=Readiness(http="/health"))

        found = merged([listed(server("backend", 5000, ROOT)), recognised(known)])

        assert found.services["backend"].before_start == ()
        assert found.services["backend"].ready.http is None
        assert found.notes == (
            (
                "backend/main.py, line 1 (backend): `migrate` is not run by itself, because Procfile.dev runs backend "
                "in another folder; `before_start` of it in devinit.toml runs it"
            ),
        )

    def test_is_what_others_depend_on_by_its_new_name(self) -> None:
        page = server("frontend", 3000, ROOT / "frontend", depends_on=("backend",))

        found = merged(
            [
                listed(server("web", 5000), server("ui", 5100, ROOT / "frontend")),
                recognised(server("backend", 8000), page),
            ]
        )

        assert found.services["ui"].depends_on == ("web",)

    def test_is_not_guessed_when_two_servers_share_its_folder(self) -> None:
        known = server("backend", 8000, before_start=("migrate",))

        found = merged([listed(server("web", 5000), server("admin", 5100)), recognised(known)])

        assert {name: each.before_start for name, each in found.services.items()} == {"web": (), "admin": ()}
        assert found.notes == (
            (
                "backend/main.py, line 1 (backend): `migrate` is not run by itself, because web and admin are "
                "servers in the same folder; `before_start` of one of them in devinit.toml runs it"
            ),
        )


class TestAPort:
    def test_that_only_numbers_processes_yields_to_the_usual_one_of_the_program(self) -> None:
        found = merged([listed(server("web", 5000)), recognised(server("backend", 8000))])

        port = found.services["web"].port
        assert port is not None
        assert (port.service, port.preferred) == ("web", 8000)

    def test_that_a_line_names_counts(self) -> None:
        said = Evidence(about="port", file="Procfile.dev", line=1)

        found = merged(
            [listed(server("web", 4000), evidence={"web": (said,)}), recognised(server("backend", 8000))]
        )

        port = found.services["web"].port
        assert port is not None
        assert port.preferred == 4000

    def test_that_two_lines_name_differently_is_noted(self) -> None:
        mine = Evidence(about="port", file="Procfile.dev", line=1)
        theirs = Evidence(about="port", file="vite.config.ts", line=7)
        other = Found(services={"web": server("web", 5173)}, evidence={"web": (theirs,)})

        found = merged([listed(server("web", 4000), evidence={"web": (mine,)}), other])

        assert found.notes == (
            "web: port 4000 in Procfile.dev, line 1, 5173 in vite.config.ts, line 7; the first one counts",
        )


class TestAListOfAllProcesses:
    def test_leaves_out_an_application_that_it_does_not_name_and_says_so(self) -> None:
        page = server("frontend", 3000, ROOT / "frontend")

        found = merged([listed(server("web", 5000)), recognised(page)])

        assert list(found.services) == ["web"]
        assert found.notes == (
            (
                "frontend/main.py, line 1 (frontend): not started, because Procfile.dev does not name it; a line "
                "there, or a [services.frontend] in devinit.toml, starts it"
            ),
        )

    def test_is_none_when_it_names_databases_alone(self) -> None:
        found = merged([listed(database("redis")), recognised(server("backend", 8000))])

        assert list(found.services) == ["redis", "backend"]

    def test_gets_the_databases_that_others_show(self) -> None:
        found = merged(
            [
                listed(
                    server("web", 5000), worker("worker"), worker("css"), clients=frozenset({"web", "worker"})
                ),
                recognised(database("postgres")),
            ]
        )

        assert {name: each.depends_on for name, each in found.services.items()} == {
            "postgres": (),
            "web": ("postgres",),
            "worker": ("postgres",),
            "css": (),
        }


class TestAListOfWhatIsDeployed:
    def test_starts_no_second_server_and_says_so(self) -> None:
        found = merged(
            [listed(server("web", 5000, ROOT), weight=Weight.PRODUCTION), recognised(server("backend", 8000))]
        )

        assert list(found.services) == ["backend"]
        assert found.notes == (
            (
                "Procfile.dev, line 1 (web): not started beside backend, because it describes production; a "
                "[services.web] in devinit.toml starts it"
            ),
        )

    def test_adds_its_workers(self) -> None:
        found = merged(
            [listed(worker("worker"), weight=Weight.PRODUCTION), recognised(server("backend", 8000))]
        )

        assert list(found.services) == ["backend", "worker"]

    def test_whose_server_is_called_like_a_worker_is_not_that_worker(self) -> None:
        celery = worker("worker", BACKEND, command="celery -A shop worker")
        sockets = server("worker", 8001, ROOT, command="daphne -p 8001 shop.asgi:application")

        found = merged([recognised(celery), listed(sockets, weight=Weight.PRODUCTION)])

        assert found.services["worker"].command == "celery -A shop worker"
        assert [each.file for each in found.evidence["worker"]] == ["worker/main.py"]
        assert "folders has another service of this name" in found.notes[0]

    def test_changes_no_command_of_an_application_that_was_recognised(self) -> None:
        found = merged(
            [listed(server("web", 5000), weight=Weight.PRODUCTION), recognised(server("backend", 8000))]
        )

        assert found.services["backend"].command == "serve-backend"
        assert [each.file for each in found.evidence["backend"]] == ["backend/main.py", "Procfile.dev"]

    def test_is_all_there_is_where_nothing_else_was_recognised(self) -> None:
        found = merged([listed(server("web", 5000, ROOT), weight=Weight.PRODUCTION)])

        assert list(found.services) == ["web"]


class TestADatabase:
    def test_in_two_sources_is_one(self) -> None:
        found = merged([listed(database("redis")), recognised(database("redis"))])

        assert list(found.services) == ["redis"]
        assert len(found.evidence["redis"]) == 2

    def test_takes_no_name_from_a_process(self) -> None:
        found = merged([listed(worker("redis")), recognised(database("redis"))])

        assert found.services["redis"].command == "work-redis"
        assert found.notes == (
            "redis/main.py, line 1 (redis): left out, because Procfile.dev has another service of this name",
        )


class TestAVariable:
    def test_has_the_value_of_the_greater_weight_and_the_other_one_is_noted(self) -> None:
        one = Found(origin="compose.yaml", weight=Weight.PROCESSES, environment={"A": "1", "B": "1"})
        other = Found(origin="fly.toml", weight=Weight.PRODUCTION, environment={"A": "2", "C": "3"})

        found = merged([other, one])

        assert found.environment == {"A": "1", "B": "1", "C": "3"}
        assert found.notes == (
            "A has one value in compose.yaml, another one in fly.toml; the first one counts",
        )


class TestAProgramThatAnotherFolderRuns:
    """Two servers of a list share the project's folder, and one of them runs the application of another folder."""

    def test_is_the_same_as_the_application_whose_file_or_module_its_command_names(self) -> None:
        for command in ("python backend/main.py", "uvicorn backend.main:app --port 8000"):
            api = server("api", 8000, ROOT, command=command)

            found = merged([listed(api, server("ui", 3000, ROOT)), recognised(server("backend", 8000))])

            assert (list(found.services), found.notes) == (["api", "ui"], ())
            assert [each.file for each in found.evidence["api"]] == ["Procfile.dev", "backend/main.py"]
            assert [each.file for each in found.evidence["ui"]] == ["Procfile.dev"]

    def test_is_another_one_where_it_names_another_file(self) -> None:
        api = server("api", 8000, ROOT, command="python backend/other.py")

        found = merged([listed(api), recognised(server("backend", 8000))])

        assert len(found.notes) == 1


class TestAListOfSomeFolders:
    def test_says_nothing_about_others(self) -> None:
        listed_in_web = listed(
            server("web", 3000, ROOT / "web"), scope=frozenset({str(ROOT / "web"), str(BACKEND)})
        )

        inside = merged([listed_in_web, recognised(server("backend", 8000))])
        outside = merged([listed_in_web, recognised(server("other", 8000, ROOT / "other"))])

        assert (list(inside.services), len(inside.notes)) == (["web"], 1)
        assert (list(outside.services), outside.notes) == (["web", "other"], ())

    def test_says_nothing_about_others_after_a_third_source(self) -> None:
        scoped = listed(server("web", 3000, ROOT / "web"), scope=frozenset({str(ROOT / "web")}))

        found = merged(
            [scoped, recognised(server("other", 8000)), listed(worker("job"), weight=Weight.PRODUCTION)]
        )

        assert list(found.services) == ["web", "other", "job"]


class TestHints:
    def test_are_said_where_no_application_was_found(self) -> None:
        hints = Found(origin="Makefile", hints=("Makefile, line 1 starts x",))

        assert merged([hints, listed(database("redis"))]).notes == hints.hints
        assert merged([hints, listed(worker("job"))]).notes == ()
        assert merged([hints], wanted=["web"]).notes == ()


class TestWhatOnlyTheApplicationKnows:
    def test_is_taken_over_also_as_variables(self) -> None:
        found = merged(
            [
                listed(server("web", 3000)),
                recognised(server("frontend", 3000, env={"BROWSER": "none"}, port_env=("WEB_PORT",))),
            ]
        )

        web = found.services["web"]
        assert (web.env, web.port_env) == ({"BROWSER": "none"}, ("WEB_PORT",))


def in_containers(*services: Service, **keys: Any) -> Found:
    """Return what a compose file says."""
    return listed(*services, weight=Weight.CONTAINERS, **keys)


class TestWhatRunsInContainers:
    def test_lends_its_variables_and_its_order_to_the_application_that_was_recognised(self) -> None:
        jobs = worker("migrate"), server("backend", 8000, depends_on=("postgres",))
        known = server(
            "api",
            9000,
            env={"A": "1"},
            depends_on=("migrate",),
            conditions={"migrate": Condition.COMPLETED},
            env_file=(ROOT / "api.env",),
        )

        found = merged([recognised(database("postgres"), jobs[1]), in_containers(jobs[0], known)])

        backend = found.services["backend"]
        assert (backend.command, backend.env, backend.env_file) == (
            "serve-backend", {"A": "1"}, (ROOT / "api.env",),
        )  # fmt: skip
        assert backend.depends_on == ("postgres", "migrate")
        assert backend.conditions == {"migrate": Condition.COMPLETED}

    def test_lends_the_port_that_the_host_has_and_no_other(self) -> None:
        said = Evidence(about="port", file="compose.yaml", line=1)

        def port_with(*evidence: Evidence) -> int:
            found = in_containers(server("api", 9000), evidence={"api": evidence})
            port = merged([recognised(server("backend", 8000)), found]).services["backend"].port
            assert port is not None
            return port.preferred

        assert (port_with(), port_with(said)) == (8000, 9000)

    def test_calls_the_others_by_the_names_that_they_have(self) -> None:
        page = server(
            "web", 3000, ROOT / "web", env={"URL": "http://${API_HOST}:${API_PORT}/v1", "X": "${OTHER_PORT}"}
        )

        found = merged([recognised(server("backend", 8000)), in_containers(server("api", 9000), page)])

        assert found.services["web"].env == {
            "URL": "http://${BACKEND_HOST}:${BACKEND_PORT}/v1",
            "X": "${OTHER_PORT}",
        }

    def test_works_once_where_the_code_shows_the_same_worker(self) -> None:
        known = (
            worker("worker", BACKEND, command="celery -A shop worker"),
            worker("beat", BACKEND, command="celery -A shop beat"),
        )
        stated = (
            worker("queue", BACKEND, command="celery -A shop worker -Q mails"),
            worker("more", BACKEND, command="celery -A shop worker -Q more"),
        )

        found = merged([recognised(*known), in_containers(*stated)])

        assert {name: each.command for name, each in found.services.items()} == {
            "worker": "celery -A shop worker -Q mails",
            "beat": "celery -A shop beat",
            "more": "celery -A shop worker -Q more",
        }

    def test_is_the_application_of_its_folder_before_that_of_its_name(self) -> None:
        django = server("web", 8000, ROOT, command=None, env={"A": "1"})
        known = server("backend", 8000, ROOT), server("web", 3000, ROOT / "web")

        found = merged([recognised(*known), in_containers(django)])

        assert {name: each.env for name, each in found.services.items()} == {"backend": {"A": "1"}, "web": {}}

    def test_that_has_no_command_is_left_out_with_every_address_of_it(self) -> None:
        lost = server("lost", 9000, ROOT / "lost", command=None)
        page = server(
            "web",
            3000,
            ROOT / "web",
            env={"URL": "http://${LOST_HOST}:${LOST_PORT}", "ORIGIN": "http://localhost:${LOST_PORT}"},
            depends_on=("lost",),
        )

        found = merged([in_containers(lost, page, unfinished={"lost": "lost is not started"})])

        assert list(found.services) == ["web"]
        assert (found.services["web"].env, found.services["web"].depends_on) == (
            {"ORIGIN": "http://localhost:9000"},
            (),
        )
        assert found.notes == (
            "lost is not started",
            "web: URL is left out, because lost is not started",
        )

    def test_lends_no_address_of_a_service_without_a_port(self) -> None:
        page = server("web", 3000, ROOT / "web", env={"JOBS": "http://${JOBS_HOST}:${JOBS_PORT}", "A": "1"})

        found = merged([in_containers(worker("jobs"), page)])

        assert found.services["web"].env == {"A": "1"}
        assert found.notes == ("web: JOBS is left out, because jobs has no port",)

    def test_that_has_no_command_stays_when_a_file_names_it(self) -> None:
        lost = server("lost", 9000, command=None)

        found = merged([in_containers(lost, unfinished={"lost": "lost is not started"})], {"lost"})

        assert (list(found.services), found.notes) == (["lost"], ())

    def test_twice_in_one_folder_is_two_services(self) -> None:
        found = merged(
            [recognised(server("backend", 8000)), in_containers(server("api", 9000), server("admin", 9001))]
        )

        assert list(found.services) == ["backend", "admin"]

    def test_settles_the_names_of_a_database_that_the_code_only_uses(self) -> None:
        settings = DatabaseSettings(database="shop", user="app")
        said = Evidence(about="database", file="compose.yaml", line=1)
        stated = Service(name="postgres", provider="postgres", directory=ROOT, settings=settings)

        found = merged(
            [recognised(database("postgres")), in_containers(stated, evidence={"postgres": (said,)})]
        )

        assert found.services["postgres"].settings == settings


class TestServicesThatWaitForEachOther:
    def test_are_freed_at_the_last_of_them(self) -> None:
        page = server("web", 3000, ROOT / "web", depends_on=("backend",))

        found = merged(
            [
                recognised(server("backend", 8000), page),
                in_containers(
                    server("backend", 8000, depends_on=("web",)), server("web", 3000, ROOT / "web")
                ),
            ]
        )

        assert {name: each.depends_on for name, each in found.services.items()} == {
            "backend": ("web",),
            "web": (),
        }
        assert found.notes == ("web does not wait for backend, which waits for it",)
