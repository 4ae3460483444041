"""Specifies what a project resolves to, without a supervisor and without its secrets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from devinit.errors import ConfigError
from devinit.model.resolved import Reader, Role
from devinit.model.service import Condition, Scheme
from devinit.resolving.at_rest import at_rest
from devinit.resolving.resolve import Present, resolve
from tests.places import require_git
from tests.resolving.conftest import SHOP, Resolve, service, shown


class TestPorts:
    def test_are_the_preferred_ones_at_first(self, resolved: Resolve) -> None:
        backend = service(resolved(), "backend")

        assert backend.port
        assert (backend.port.number, backend.port.variable) == (8000, "BACKEND_PORT")
        assert [each.number for each in backend.extra_ports] == [5678]

    def test_are_those_of_the_last_start(self, resolved: Resolve, root: Path) -> None:
        (root / ".ports.json").write_text(json.dumps({"backend": 8003, "backend.debugger": 5679}))

        found = resolved()

        backend = service(found, "backend")
        assert backend.port
        assert backend.port.number == 8003
        assert [each.number for each in backend.extra_ports] == [5679]
        assert shown(service(found, "frontend").environment["VITE_API_URL"]) == "http://localhost:8003"

    def test_are_those_on_which_the_services_run(self, resolved: Resolve) -> None:
        present = Present({"backend": 8007}, {"backend": Scheme.HTTPS})

        backend = service(resolved(present=present), "backend")

        assert backend.port
        assert (backend.port.number, backend.port.url) == (8007, "https://localhost:8007")
        assert backend.command
        assert shown(backend.command.line).endswith("--port 8007")

    def test_are_the_preferred_ones_for_containers(self, resolved: Resolve, root: Path) -> None:
        (root / ".ports.json").write_text(json.dumps({"backend": 8003}))

        backend = service(resolved(reader=Reader.CONTAINER), "backend")

        assert backend.port
        assert backend.port.number == 8000

    def test_are_the_same_for_containers_in_a_linked_worktree(self, resolved: Resolve, root: Path) -> None:
        require_git()
        resolved()
        git = ("git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.com")
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
        other = root.parent / "other"
        subprocess.run([*git, "worktree", "add", "-q", str(other)], check=True)
        here, there = at_rest(other), at_rest(other, as_written=True)

        preferred = [each.project.services["backend"].port for each in (here, there)]
        assert [each.preferred for each in preferred if each] == [8010, 8000]


class TestRoles:
    def test_follow_from_names_kinds_and_order(self, resolved: Resolve) -> None:
        text = SHOP + (
            '[services.jobs]\ncommand = "sleep 60"\n[services.init]\ncommand = "true"\n'
            '[services.admin_api]\ncommand = "x"\nport = 9100\ndepends_on = { init = "completed" }\n'
            '[services.cache]\nprovider = "redis"\nurl = "redis://cache.example.com:6379"\n'
        )

        roles = {each.name: each.role for each in resolved(text).services}

        assert roles == {
            "postgres": Role.DATA,
            "backend": Role.BACKEND,
            "frontend": Role.FRONTEND,
            "jobs": Role.WORKER,
            "init": Role.JOB,
            "admin_api": Role.SERVER,
            "cache": Role.ELSEWHERE,
        }

    def test_are_told_with_language_and_what_is_waited_for(self, resolved: Resolve) -> None:
        found = resolved()

        assert [each.language for each in found.services] == ["", "python", "node"]
        [dependency] = service(found, "backend").depends_on
        assert (dependency.service, dependency.condition) == ("postgres", Condition.READY)


class TestCommands:
    def test_find_the_tools_of_their_folder_installed_or_not(self, resolved: Resolve) -> None:
        found = resolved()

        assert service(found, "backend").tools == ("backend/.venv/bin",)
        assert service(found, "frontend").tools == ("frontend/node_modules/.bin",)

    def test_of_several_programs_need_a_shell(self, resolved: Resolve) -> None:
        found = resolved(SHOP.replace("uvicorn main:app", "cd src && uvicorn main:app"))

        command = service(found, "backend").command
        assert command
        assert command.needs_shell
        assert shown(command.line) == "cd src && uvicorn main:app --host 127.0.0.1 --port 8000"

    def test_that_name_a_variable_of_the_shell_refer_to_it(self, resolved: Resolve) -> None:
        command = service(
            resolved(SHOP.replace("uvicorn main", "${HOME}/bin/uvicorn main")), "backend"
        ).command

        assert command
        assert shown(command.words[0]) == "<HOME>/bin/uvicorn"


class TestSecrets:
    def test_are_nowhere_in_the_value(self, resolved: Resolve, root: Path) -> None:
        (root / ".env").write_text("STRIPE_KEY=sk_live_0123456789abcdef\nADMIN_PASSWORD=topsecret99\n")
        text = SHOP + (
            '[services.cache]\nprovider = "redis"\nurl = "redis://:pw4711pw4711@cache.example.com:6379"\n'
            '[environment]\nSMTP_PASSWORD = "mailmail77"\nCOPY = "${DATABASE_URL}?x=1"\n'
            'REMOTE = "postgres://a:remote1234@db.example.com/x"\n'
        )

        for reader in Reader:
            found = repr(resolved(text, reader))
            for secret in ("hunter2", "sk_live", "topsecret", "pw4711", "mailmail", "remote1234"):
                assert secret not in found, (reader, secret)

    def test_of_databases_are_references_inside_of_urls(self, resolved: Resolve) -> None:
        environment = service(resolved(), "backend").environment

        assert (
            shown(environment["DATABASE_URL"]) == "postgresql://shop:<POSTGRES_PASSWORD>@127.0.0.1:5432/shop"
        )
        assert shown(environment["PGPASSWORD"]) == "<POSTGRES_PASSWORD>"

    def test_in_the_form_of_the_project_are_references_too(self, resolved: Resolve, root: Path) -> None:
        (root / "backend" / ".env").write_text(
            "DATABASE_URL=postgresql+asyncpg://shop:pw@localhost:5432/shop\n"
        )

        values = [
            service(resolved(reader=reader), "backend").environment["DATABASE_URL"] for reader in Reader
        ]

        assert [shown(each) for each in values] == [
            "postgresql+asyncpg://shop:<POSTGRES_PASSWORD>@localhost:5432/shop",
            "postgresql+asyncpg://shop:<POSTGRES_PASSWORD>@postgres:5432/shop",
        ]

    def test_of_the_shell_are_not_read(self, resolved: Resolve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_TOKEN", "fromtheshell")
        monkeypatch.setenv("PLAIN", "alsofromtheshell")
        text = (
            SHOP
            + '[environment]\nMY_TOKEN2 = "${MY_TOKEN}"\nOTHER = "a${PLAIN}b"\nWITH = "${NONE:-default}"\n'
        )

        found = resolved(text)

        assert "fromtheshell" not in repr(found)
        assert shown(found.environment["OTHER"]) == "a<PLAIN>b"
        assert shown(found.environment["WITH"]) == "default"

    def test_of_env_files_that_templates_name_are_references(self, resolved: Resolve, root: Path) -> None:
        (root / ".env").write_text("STRIPE_SECRET=plain value 9f8e7d6c\nGREETING=hello\n")
        text = SHOP + (
            '[services.queue]\ncommand = "worker --key ${STRIPE_SECRET} | cat"\n'
            'env = { PAY = "${GREETING} k=${STRIPE_SECRET}", OTHER = "${STRIPE_SECRET:-none}" }\n'
        )

        for reader in Reader:
            found = resolved(text, reader)

            queue = service(found, "queue")
            assert "9f8e7d6c" not in repr(found)
            assert shown(queue.environment["PAY"]) == "hello k=<STRIPE_SECRET>"
            assert shown(queue.environment["OTHER"]) == "<STRIPE_SECRET>"
            assert queue.command
            assert shown(queue.command.line) == "worker --key <STRIPE_SECRET> | cat"

    def test_of_env_files_that_a_compose_file_names_are_references(self, root: Path) -> None:
        (root / ".env").write_text("STRIPE_SECRET=plain-9f8e7d6c\n")
        (root / "compose.yaml").write_text(
            "services:\n  web:\n    build: .\n    command: python -m http.server 8000\n    ports: ['8000:8000']\n"
            "    environment: {PAY: '${STRIPE_SECRET}'}\n"
        )
        (root / "Dockerfile").write_text("FROM python:3.12\nCOPY . .\n")

        for reader in Reader:
            found = resolve(at_rest(root), reader)

            [web] = found.services
            assert shown(web.environment["PAY"]) == "<STRIPE_SECRET>"
            assert "9f8e7d6c" not in repr(found)

    def test_beside_a_reference_are_not_written_either(self, resolved: Resolve) -> None:
        text = SHOP + '[environment]\nHOOK = "https://bot:lit3ralpw@hooks.example.com/${CHANNEL}"\n'

        found = resolved(text)

        assert shown(found.environment["HOOK"]) == "<HOOK>"
        assert "<POSTGRES_PASSWORD>" in shown(found.environment["DATABASE_URL"])


class TestTheEnvironment:
    def test_does_not_repeat_env_files(self, resolved: Resolve, root: Path) -> None:
        (root / "backend" / ".env").write_text("DEBUG=1\nPORT=9999\n")

        backend = service(resolved(), "backend")

        assert "DEBUG" not in backend.environment
        assert shown(backend.environment["PORT"]) == "8000"
        assert [each.path for each in backend.env_files] == [".env", "backend/.env"]

    def test_is_the_same_whatever_the_shell_has(
        self, resolved: Resolve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = resolved()
        monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/x")
        monkeypatch.setenv("ANYTHING", "x")

        assert resolved() == before

    def test_that_cannot_be_expanded_is_refused(self, resolved: Resolve) -> None:
        with pytest.raises(ConfigError):
            resolved(SHOP + '[environment]\nA = "${B}"\nB = "${A}"\n')


class TestForContainers:
    def test_addresses_are_names(self, resolved: Resolve) -> None:
        environment = service(resolved(reader=Reader.CONTAINER), "backend").environment

        assert (
            shown(environment["DATABASE_URL"]) == "postgresql://shop:<POSTGRES_PASSWORD>@postgres:5432/shop"
        )
        assert shown(environment["POSTGRES_HOST"]) == "postgres"
        assert shown(environment["BACKEND_URL"]) == "http://backend:8000"
        assert shown(environment["HOST"]) == "0.0.0.0"

    def test_a_server_listens_on_the_port_of_its_image(self, resolved: Resolve) -> None:
        text = SHOP.replace("port = 5432", "port = 5555")
        text += '[environment]\nREPORTS = "postgres://localhost:5555/x"\n'

        environment = service(resolved(text, Reader.CONTAINER), "backend").environment

        assert shown(environment["POSTGRES_PORT"]) == "5432"
        assert shown(environment["REPORTS"]) == "postgres://postgres:5432/x"

    def test_what_browsers_use_stays(self, resolved: Resolve) -> None:
        environment = service(resolved(reader=Reader.CONTAINER), "backend").environment

        assert shown(environment["VITE_API_URL"]) == "http://localhost:8000"
        assert shown(environment["FRONTEND_URL"]) == "http://localhost:3000"
        assert shown(environment["CORS_ORIGINS"]) == "http://localhost:3000,http://127.0.0.1:3000"

    def test_a_command_listens_where_it_is_reached(self, resolved: Resolve) -> None:
        command = service(resolved(reader=Reader.CONTAINER), "backend").command

        assert command
        assert shown(command.line) == "uvicorn main:app --host 0.0.0.0 --port 8000"

    def test_a_data_service_has_an_image(self, resolved: Resolve) -> None:
        image = service(resolved(reader=Reader.CONTAINER), "postgres").image

        assert image
        assert (image.name, image.port, image.data) == ("postgres:16", 5432, "/var/lib/postgresql/data")
        assert {name: shown(value) for name, value in image.environment.items()} == {
            "POSTGRES_USER": "shop",
            "POSTGRES_PASSWORD": "<POSTGRES_PASSWORD>",
            "POSTGRES_DB": "shop",
            "PGDATA": "/var/lib/postgresql/data/pgdata",
        }

    def test_further_databases_are_created(self, resolved: Resolve) -> None:
        text = SHOP.replace('user = "shop"', 'user = "shop"\ndatabases = ["shop_test"]')

        image = service(resolved(text, Reader.CONTAINER), "postgres").image

        assert image
        assert [shown(each) for each in image.provision] == [
            "psql -d shop_test -c 'select 1' >/dev/null 2>&1 || createdb shop_test"
        ]
