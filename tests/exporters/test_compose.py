"""Specifies the compose file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from devinit.exporters.exporter import Export
from tests.exporters.conftest import Exported
from tests.resolving.conftest import SHOP


def document(export: Export) -> dict[str, Any]:
    """Return the file as YAML. Any: other people's format."""
    found: dict[str, Any] = yaml.safe_load(export.files[0].text)
    return found


class TestADataService:
    def test_is_a_published_image_with_a_volume(self, exported: Exported) -> None:
        found = document(exported("compose"))

        postgres = found["services"]["postgres"]
        assert postgres["image"] == "postgres:16"
        assert postgres["ports"] == ["127.0.0.1:${POSTGRES_PORT:-5432}:5432"]
        assert postgres["volumes"] == ["postgres-data:/var/lib/postgresql/data"]
        assert postgres["healthcheck"]["test"][1] == "pg_isready -h 127.0.0.1 -U shop -d shop"
        assert found["volumes"] == {"postgres-data": {}}

    def test_gets_its_password_from_a_variable(self, exported: Exported) -> None:
        export = exported("compose")

        environment = document(export)["services"]["postgres"]["environment"]
        assert environment["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?is not set}"
        assert any("POSTGRES_PASSWORD not written" in each for each in export.notes)

    def test_has_its_further_databases_from_a_service_that_ends(self, exported: Exported) -> None:
        text = SHOP.replace('user = "shop"', 'user = "shop"\ndatabases = ["shop_test"]')

        services = document(exported("compose", text))["services"]

        assert services["postgres-databases"]["restart"] == "no"
        assert services["backend"]["depends_on"]["postgres-databases"] == {
            "condition": "service_completed_successfully"
        }


CONTAINERS = """
[services.mysql]
provider = "docker"
server = "mysql"
port = 3306

[services.pages]
provider = "docker"
image = "box:1"
entrypoint = "/bin/busybox"
command = "httpd -f -p 80"
port = 8085
container_port = 80
volumes = ["state:/state", "./conf:/www:ro", "more:/more"]
env = { GREETING = "hello" }
depends_on = ["mysql"]

[services.api]
command = "python api.py"
port = 8300
depends_on = ["pages"]
"""


class TestAContainer:
    def test_is_its_image_as_it_is_configured(self, exported: Exported) -> None:
        found = document(exported("compose", CONTAINERS))

        assert found["services"]["pages"] == {
            "image": "box:1",
            "entrypoint": ["/bin/busybox"],
            "command": ["httpd", "-f", "-p", "80"],
            "environment": {"GREETING": "hello"},
            "ports": ["127.0.0.1:${PAGES_PORT:-8085}:80"],
            "volumes": ["pages-data:/state", "./conf:/www:ro", "more:/more"],
            "depends_on": {"mysql": {"condition": "service_healthy"}},
            "restart": "unless-stopped",
        }
        assert {*found["volumes"]} == {"mysql-data", "pages-data", "more"}

    def test_of_a_known_server_is_reached_by_name_with_a_password_from_a_variable(
        self, exported: Exported
    ) -> None:
        services = document(exported("compose", CONTAINERS))["services"]

        mysql, given = services["mysql"], services["api"]["environment"]
        assert mysql["image"] == "mysql:8.4"
        assert mysql["environment"]["MYSQL_ROOT_PASSWORD"] == "${MYSQL_PASSWORD:?is not set}"
        assert given["MYSQL_HOST"] == "mysql"
        assert given["MYSQL_URL"].startswith("mysql://app:${MYSQL_PASSWORD:?is not set}@mysql:3306/")
        assert (given["PAGES_HOST"], given["PAGES_PORT"]) == ("pages", "80")
        assert given["PAGES_URL"] == "http://pages:80"
        assert services["api"]["depends_on"] == {"pages": {"condition": "service_started"}}

    def test_with_pages_is_found_by_browsers_at_the_port_of_the_machine(self, exported: Exported) -> None:
        services = document(exported("compose", CONTAINERS.replace("pages", "web")))["services"]

        assert services["api"]["environment"]["WEB_URL"] == "http://localhost:${WEB_PORT:-8085}"

    def test_that_is_built_is_named_as_left_out(self, exported: Exported) -> None:
        text = CONTAINERS.replace('image = "box:1"', 'build = "."')

        export = exported("compose", text)

        assert "pages" not in document(export)["services"]
        assert "left out, having no image: pages" in export.notes

    @pytest.mark.parametrize("form", ["procfile", "pm2", "process-compose", "systemd"])
    def test_is_no_program_of_this_machine(self, form: str, exported: Exported) -> None:
        export = exported(form, CONTAINERS)

        assert not any("httpd" in each.text for each in export.files)
        assert any("api.py" in each.text for each in export.files)


class TestAProgram:
    def test_is_built_from_its_folder_and_reaches_the_others_by_name(self, exported: Exported) -> None:
        backend = document(exported("compose"))["services"]["backend"]

        assert backend["build"] == {"context": "./backend"}
        assert backend["command"] == ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]
        assert backend["environment"]["POSTGRES_HOST"] == "postgres"
        assert backend["environment"]["PORT"] == "8000"

    def test_keeps_the_command_of_its_own_dockerfile(self, exported: Exported, root: Path) -> None:
        (root / "backend" / "Dockerfile").write_text("FROM python\n")

        export = exported("compose")

        assert "command" not in document(export)["services"]["backend"]
        assert [each.path for each in export.beside] == ["frontend/Dockerfile", "frontend/.dockerignore"]

    def test_starts_when_what_it_needs_is_well(self, exported: Exported) -> None:
        services = document(exported("compose"))["services"]

        assert services["backend"]["depends_on"] == {
            "postgres": {"condition": "service_healthy"},
            "backend-before-start": {"condition": "service_completed_successfully"},
        }
        assert services["backend-before-start"]["command"] == ["sh", "-c", "alembic upgrade head"]
        assert services["frontend"]["depends_on"] == {"backend": {"condition": "service_healthy"}}

    def test_is_known_to_browsers_by_its_published_port(self, exported: Exported) -> None:
        environment = document(exported("compose"))["services"]["frontend"]["environment"]

        assert environment["VITE_API_URL"] == "http://localhost:${BACKEND_PORT:-8000}"
        assert environment["BACKEND_URL"] == "http://backend:8000"

    def test_that_starts_by_its_name_has_a_profile(self, exported: Exported) -> None:
        text = SHOP + '[services.mail]\ncommand = "node mail.js"\nautostart = false\n'

        assert document(exported("compose", text))["services"]["mail"]["profiles"] == ["mail"]

    def test_is_left_alone_with_its_dollars(self, exported: Exported) -> None:
        text = SHOP + "[services.odd]\ncommand = 'node x | tee $HOME'\nenv = { A = 'x$$y' }\n"

        odd = document(exported("compose", text))["services"]["odd"]

        assert odd["command"] == ["sh", "-c", "node x | tee $$HOME"]
        assert odd["environment"]["A"] == "x$$y"


def test_values_stay_as_they_are(exported: Exported) -> None:
    odd = "a\"b'c$d`e\\f%g #h\u2028\x85: yes"
    text = (
        f"[services.web]\ncommand = 'x'\n[services.web.env]\nODD = {json.dumps(odd.replace('$d', '$$d'))}\n"
    )

    web = document(exported("compose", text))["services"]["web"]

    assert web["environment"]["ODD"] == odd.replace("$", "$$")


class TestADockerfile:
    def test_installs_what_the_folder_declares(self, exported: Exported) -> None:
        files = {file.path: file.text for file in exported("compose").beside}

        assert "RUN pip install --no-cache-dir -r requirements.txt\n" in files["backend/Dockerfile"]
        assert "RUN npm install\n" in files["frontend/Dockerfile"]
        assert "\n.env\n" in files["backend/.dockerignore"]


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_the_oldest_compose_that_people_have_reads_it(exported: Exported, root: Path) -> None:
    text = SHOP + "[services.odd]\ncommand = 'node x | tee $HOME'\nenv = { A = 'x$$y' }\n"
    (root / "compose.yaml").write_text(exported("compose", text).files[0].text)
    (root / ".env").write_text("POSTGRES_PASSWORD=pw\nBACKEND_PORT=8009\n")

    done = subprocess.run(
        ["docker-compose", "-f", "compose.yaml", "config"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services["backend"]["environment"]["DATABASE_URL"] == "postgresql://shop:pw@postgres:5432/shop"
    assert services["backend"]["ports"][0] == "127.0.0.1:8009:8000/tcp"
    assert services["frontend"]["environment"]["VITE_API_URL"] == "http://localhost:8009"
    assert services["odd"]["environment"]["A"] == "x$$y"
