"""Specifies that what a kind of service declares is all that the rest of devinit has to know of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from devinit.config.initial import initial_toml
from devinit.config.json_schema import json_schema
from devinit.config.load import load
from devinit.config.schema import COMMON_KEYS
from devinit.errors import ConfigError
from devinit.kinds import BUILT_IN, KINDS, Context, Keys, Kind, kind_of
from devinit.kinds.kind import ClientNames
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.provider import Provider
from devinit.kinds.providers import PROVIDERS
from devinit.model.service import DatabaseSettings, Endpoint, Project, Service
from devinit.runtime.environment import environment, runtime_of
from devinit.runtime.roles import backend_of
from devinit.supervisor.orders.commands import databases_of, for_tests
from devinit.supervisor.project.drift import basis_of, differences
from devinit.supervisor.record.state_file import ServiceRecord, State, read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path


class MailpitKeys(Keys, frozen=True, kw_only=True):
    """A key of its own, which it needs no more of than its value."""

    keep: Annotated[int | None, Meta(description="how many mails are kept. Default: 500.")] = None


class OracleSettings(DatabaseSettings, frozen=True, kw_only=True):
    """What a second kind of database is created with."""


class OracleKeys(Keys, frozen=True, kw_only=True):
    """A key that PostgreSQL has, too."""

    database: Annotated[str | None, Meta(description="the schema's name.")] = None

    def settings(self, context: Context) -> OracleSettings:
        return OracleSettings(database=self.database or context.project, user="root", password="s")


class OracleProvider(ProcessProvider):
    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        settings, name = service.settings_as(OracleSettings), service.name.upper()
        url = f"oracle://127.0.0.1:{port}/{settings.database if settings else ''}"
        variables = {f"{name}_DATABASE_URL": url, f"{name}_HOST": "127.0.0.1"}
        return Endpoint(service=service.name, host="127.0.0.1", port=port, url=url, variables=variables)


MAILPIT = Kind(
    name="mailpit",
    runner=f"{__name__}:ProcessProvider",
    own=MailpitKeys,
    keys=frozenset({"url_path"}),
    default_port=8025,
    has_pages=True,
)
ORACLE = Kind(
    name="oracle",
    runner=f"{__name__}:OracleProvider",
    own=OracleKeys,
    settings=OracleSettings,
    default_port=3306,
    url_schemes=("oracle",),
    common_prefix="ORACLE",
    client_names=ClientNames(
        names=frozenset({"ORACLE_TCP_HOST"}), of=lambda _, own: {"ORACLE_TCP_HOST": own["HOST"]}
    ),
    has_databases=True,
    proves_itself=True,
)


@pytest.fixture
def mailpit(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind with a web page of its own that is told nothing of the project: two lines in two tables."""
    monkeypatch.setitem(KINDS, MAILPIT.name, MAILPIT)
    monkeypatch.setitem(PROVIDERS, MAILPIT.name, ProcessProvider())
    return MAILPIT


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A second kind of database, which shares a key with PostgreSQL."""
    monkeypatch.setitem(KINDS, ORACLE.name, ORACLE)
    monkeypatch.setitem(PROVIDERS, ORACLE.name, OracleProvider())
    return ORACLE


@pytest.fixture
def project(tmp_path: Path, mailpit: Kind) -> Project:
    (tmp_path / "devinit.toml").write_text(
        f'[services.mail]\nprovider = "{mailpit.name}"\nready = {{ http = "/livez" }}\nurl_path = "/inbox"\n'
        "keep = 20\n"
        "[environment]\nCOLOUR = 'red'\n"
    )
    return load(tmp_path)


class TestTheTable:
    def test_has_each_kind_under_its_own_name(self) -> None:
        assert all(name == kind.name for name, kind in KINDS.items())

    def test_names_a_class_that_runs_each_kind(self) -> None:
        assert all(issubclass(type(PROVIDERS[name]), Provider) for name in KINDS)

    def test_shares_keys_that_the_file_has_and_declares_keys_that_it_has_not(self) -> None:
        assert [name for name, kind in KINDS.items() if not kind.keys <= COMMON_KEYS] == []
        assert [name for name, kind in KINDS.items() if COMMON_KEYS & set(kind.own.__struct_fields__)] == []


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


class TestAKeyThatAKindDeclares:
    def test_is_unknown_without_the_kind(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").write_text('[services.mail]\ncommand = "x"\nkeep = 20\n')

        with pytest.raises(ConfigError, match=r"services\.mail\.keep: unknown key"):
            load(tmp_path)

    def test_is_in_the_schema_with_the_kind(self) -> None:
        without, with_it = properties_of(BUILT_IN), properties_of((*BUILT_IN, MAILPIT))

        assert "keep" not in without
        assert with_it["keep"] == {
            "type": "integer",
            "description": "For mailpit: how many mails are kept. Default: 500.",
        }
        said = without["port"]["description"].removesuffix(".")
        assert with_it["port"]["description"] == f"{said}, 8025 for mailpit."

    def test_is_described_for_each_kind_that_has_it(self) -> None:
        described = properties_of((*BUILT_IN, ORACLE))["database"]["description"]

        assert described.startswith("For postgres and mysql: the database's name.")
        assert described.endswith("For oracle: the schema's name.")

    def test_is_what_the_service_is_configured_with(self, project: Project) -> None:
        assert project.services["mail"].settings_as(MailpitKeys) == MailpitKeys(keep=20)

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ('command = "x"\nkeep = 20', "services.a.keep: means nothing for process (it is for mailpit)"),
            ('provider = "redis"\nkeep = 20', "services.a.keep: means nothing for redis"),
            ('provider = "mailpit"\nkeep = "20"', "services.a.keep: expected a whole number"),
            ('provider = "mailpit"\nkept = 20', 'services.a.kept: unknown key (did you mean "keep"?)'),
            ('provider = "mailpit"\nurl = "http://x"', "services.a.url: means nothing for mailpit"),
        ],
    )
    @pytest.mark.usefixtures("mailpit")
    def test_is_refused_where_it_does_not_belong_or_fit(self, tmp_path: Path, keys: str, said: str) -> None:
        (tmp_path / "devinit.toml").write_text(f"[services.a]\n{keys}\n")

        with pytest.raises(ConfigError) as caught:
            load(tmp_path)

        assert said in f"{caught.value.message} ({caught.value.hint})"

    def test_is_written_by_init(self, project: Project, tmp_path: Path) -> None:
        text = initial_toml(project)
        (tmp_path / "devinit.toml").write_text(text)

        assert "keep = 20\n" in text
        assert load(tmp_path).services == project.services

    def test_is_named_when_it_changed_since_the_service_was_started(self, project: Project) -> None:
        before = project.services["mail"]
        now = msgspec.structs.replace(before, settings=MailpitKeys(keep=30))

        assert differences(before, now) == ["keep"]

    def test_is_on_record_while_the_service_runs(self, project: Project, tmp_path: Path) -> None:
        service = project.services["mail"]

        write_state(tmp_path, State(services={"mail": ServiceRecord(service=service)}))

        assert read_state(tmp_path).services["mail"].service == service


class TestASecondKindOfDatabase:
    @pytest.mark.parametrize("first", ["postgres", "oracle"])
    @pytest.mark.usefixtures("oracle")
    def test_is_found_as_database_url_when_it_is_the_first(self, tmp_path: Path, first: str) -> None:
        second = "oracle" if first == "postgres" else "postgres"
        (tmp_path / "devinit.toml").write_text(
            "".join(f'[services.{name}]\nprovider = "{name}"\n' for name in (first, second))
        )
        project = load(tmp_path)
        endpoints = {
            name: PROVIDERS[each.provider].endpoint(each, 6000) for name, each in project.services.items()
        }

        names = environment(project, endpoints, base={})

        assert names["DATABASE_URL"] == endpoints[first].url
        assert (names["PGHOST"], names["ORACLE_TCP_HOST"]) == ("127.0.0.1", "127.0.0.1")

    @pytest.mark.usefixtures("oracle")
    def test_gives_its_client_names_to_the_services_that_need_it(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").write_text(
            '[services.db]\nprovider = "oracle"\n[services.api]\ncommand = "x"\ndepends_on = ["db"]\n'
            '[services.web]\ncommand = "x"\n'
        )
        project = load(tmp_path)
        endpoints = {
            name: PROVIDERS[each.provider].endpoint(each, 3306) for name, each in project.services.items()
        }
        runtime = environment(project, endpoints, base={})

        given = {
            name: "ORACLE_TCP_HOST" in runtime_of(project, endpoints, each, runtime)
            for name, each in project.services.items()
        }

        assert given == {"db": False, "api": True, "web": False}

    def test_has_a_test_database_only_if_it_says_so(self, tmp_path: Path, oracle: Kind) -> None:
        (tmp_path / "devinit.toml").write_text(f'[services.db]\nprovider = "{oracle.name}"\n')

        [service] = load(tmp_path).services.values()

        assert list(databases_of(load(tmp_path))) == ["db"]
        assert for_tests(service) is None


def properties_of(kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Return the keys of a service in the JSON Schema. Any: JSON."""
    properties: dict[str, Any] = json.loads(json_schema(kinds))["$defs"]["ServiceTable"]["properties"]
    return properties
