"""Specifies the servers that are run from published images: each row can be written down and filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.config.load import load
from devinit.errors import ConfigError
from devinit.kinds import in_a_container
from devinit.kinds.command import arguments
from devinit.kinds.docker.kind import SERVER_NAMES, DockerKeys
from devinit.kinds.docker.servers import SERVERS
from devinit.kinds.docker.serving import completed, endpoint_of, environment_of, server_of
from devinit.kinds.providers import PROVIDERS
from devinit.model.service import Service


def service_of(folder: Path, name: str) -> Service:
    text = f'[services.{name}]\nprovider = "docker"\nserver = "{name}"\nport = {SERVERS[name].port}\n'
    (folder / "devinit.toml").write_text(text)
    return load(folder).services[name]


@pytest.mark.parametrize("name", SERVERS)
class TestEachServer:
    def test_is_found_by_the_names_of_its_service(self, name: str, tmp_path: Path) -> None:
        service = service_of(tmp_path, name)
        keys = service.settings_as(DockerKeys)
        assert keys is not None
        service = replace(service, settings=replace(keys, password="a/b"))

        found = endpoint_of(service, SERVERS[name], "127.0.0.1", 4711)

        texts = [*found.variables.values(), *environment_of(service).values()]
        assert not any(re.search(r"\{[a-z]+\}", text) for text in texts)
        assert found.url is not None
        assert "4711" in found.url
        assert "a/b" not in found.url

    def test_has_an_image_a_port_and_a_place_for_its_data(self, name: str, tmp_path: Path) -> None:
        whole = completed(service_of(tmp_path, name))

        keys = whole.settings_as(DockerKeys)
        assert keys is not None
        assert keys.image == SERVERS[name].image
        assert keys.container_port == SERVERS[name].port
        assert bool(keys.volumes) is bool(SERVERS[name].data)
        assert PROVIDERS["docker"].stop(whole).grace_seconds > 10

    def test_is_asked_in_words_that_no_shell_takes_apart(self, name: str, tmp_path: Path) -> None:
        ready = completed(service_of(tmp_path, name)).ready

        assert ready.exec is None or arguments(ready.exec)[0] != "sh"

    def test_is_offered_by_the_name_that_people_know(self, name: str, tmp_path: Path) -> None:
        assert f'server = "{name}", port = {SERVERS[name].port}' in in_a_container(SERVERS[name].title)


class TestTheKey:
    def test_has_all_names_without_the_rows(self) -> None:
        assert tuple(SERVERS) == SERVER_NAMES

    def test_leaves_what_is_said_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").write_text(
            '[services.db]\nprovider = "docker"\nserver = "mysql"\nport = 3306\nimage = "mysql:5.7"\n'
            'volumes = ["old:/var/lib/mysql"]\ndatabase = "legacy"\n'
        )

        whole = completed(load(tmp_path).services["db"])

        keys = whole.settings_as(DockerKeys)
        assert keys is not None
        assert (keys.image, keys.volumes, keys.database) == ("mysql:5.7", ["old:/var/lib/mysql"], "legacy")
        assert server_of(whole) is SERVERS["mysql"]

    def test_names_the_servers_that_there_are(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").write_text('[services.db]\nprovider = "docker"\nserver = "oracle"\n')

        with pytest.raises(ConfigError, match='there is no server "oracle"') as refused:
            load(tmp_path)

        assert "mysql, mariadb, mongodb" in (refused.value.hint or "")
