"""Specifies that what a kind of service declares is all that the rest of devinit has to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from devinit.config.load import load
from devinit.config.schema import ServiceTable
from devinit.errors import ConfigError
from devinit.kinds import KINDS, Kind, kind_of
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.provider import Provider
from devinit.kinds.providers import PROVIDERS
from devinit.runtime.environment import environment
from devinit.runtime.roles import backend_of
from devinit.supervisor.project.drift import basis_of

if TYPE_CHECKING:
    from pathlib import Path

    from devinit.model.service import Project

MAILPIT = Kind(name="mailpit", runner="", default_port=8025, has_pages=True, keys=frozenset({"url_path"}))


@pytest.fixture
def mailpit(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind with a web page of its own that is told nothing of the project: two lines in two tables."""
    monkeypatch.setitem(KINDS, MAILPIT.name, MAILPIT)
    monkeypatch.setitem(PROVIDERS, MAILPIT.name, ProcessProvider())
    return MAILPIT


@pytest.fixture
def project(tmp_path: Path, mailpit: Kind) -> Project:
    (tmp_path / "devinit.toml").write_text(
        f'[services.mail]\nprovider = "{mailpit.name}"\nready = {{ http = "/livez" }}\nurl_path = "/inbox"\n'
        "[environment]\nCOLOUR = 'red'\n"
    )
    return load(tmp_path)


class TestTheTable:
    def test_has_each_kind_under_its_own_name(self) -> None:
        assert all(name == kind.name for name, kind in KINDS.items())

    def test_names_a_class_that_runs_each_kind(self) -> None:
        assert all(issubclass(type(PROVIDERS[name]), Provider) for name in KINDS)

    def test_shares_keys_that_the_file_has_and_declares_keys_that_it_has_not(self) -> None:
        common = set(ServiceTable.__struct_fields__)

        assert [name for name, kind in KINDS.items() if not kind.keys <= common] == []
        assert [name for name, kind in KINDS.items() if common & set(kind.own.__struct_fields__)] == []


class TestAKindThatIsAdded:
    def test_has_its_port_which_browsers_must_open(self, project: Project) -> None:
        port = project.services["mail"].port

        assert port is not None
        assert (port.preferred, port.browser) == (8025, True)

    def test_is_asked_for_a_page_and_has_a_url(self, project: Project) -> None:
        service = project.services["mail"]
        endpoint = PROVIDERS[service.provider].endpoint(service, 8026)

        assert service.ready.http == "/livez"
        assert endpoint.url == "http://localhost:8026/inbox"
        assert environment(project, {"mail": endpoint}, base={})["MAIL_URL"] == "http://localhost:8026/inbox"

    def test_may_be_what_a_browser_calls(self, project: Project) -> None:
        named = msgspec.structs.replace(project, services={"api": project.services["mail"]})

        assert backend_of(named) is project.services["mail"]

    def test_is_not_started_again_for_an_environment_that_it_is_not_given(self, project: Project) -> None:
        assert not kind_of(project.services["mail"]).takes_environment
        assert basis_of(project.services["mail"], project, ()).environment == 0

    def test_has_no_keys_of_others(self, tmp_path: Path, mailpit: Kind) -> None:
        (tmp_path / "devinit.toml").write_text(
            f'[services.mail]\nprovider = "{mailpit.name}"\ndatabase = "shop"\n'
        )

        with pytest.raises(ConfigError, match=r"services\.mail\.database: means nothing for mailpit"):
            load(tmp_path)
