"""Specifies `devinit.supervisor.project.drift`: what is older than the files that say how it is to run."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.port import ConflictPolicy, PortRequest
from devinit.model.service import Project, Service
from devinit.supervisor.project.drift import Basis, basis_of, changed, differences

ROOT = Path("/shop")
WEB = Service(name="web", directory=ROOT, command="run", env={"A": "1"})


def project(service: Service = WEB, **environment: str) -> Project:
    return Project(name="shop", root=ROOT, services={"web": service}, environment=environment)


def test_nothing_is_changed_where_all_is_as_it_was() -> None:
    assert changed(WEB, Basis(), project(), Basis()) == []


def test_a_key_is_named_and_a_variable_by_its_own_name() -> None:
    now = replace(WEB, command="run faster", env={"B": "1"}, external_url="http://x")

    assert changed(WEB, Basis(), project(now), Basis()) == ["command", "env.A", "env.B", "url"]


def test_a_key_of_a_database_is_named_as_in_the_file() -> None:
    before = Service(name="db", directory=Path("/"), settings=PostgresSettings(database="a", user="u"))
    now = replace(before, settings=PostgresSettings(database="a", user="u", password="p"))

    assert differences(before, now) == ["password"]


def test_what_is_decided_about_a_taken_port_changes_nothing_about_who_has_its_port() -> None:
    port = PortRequest(service="web", preferred=8000, first=8000, last=8099)
    before = replace(WEB, port=port, extra_ports=(port,))
    kept = replace(port, policy=ConflictPolicy.KILL)

    assert changed(before, Basis(), project(replace(before, port=kept, extra_ports=(kept,))), Basis()) == []
    moved = replace(before, port=replace(port, preferred=8001))
    assert changed(before, Basis(), project(moved), Basis()) == ["port"]


def test_a_file_that_came_went_or_changed_is_named_as_in_the_project() -> None:
    before = Basis(files={"/shop/.env": 1, "/shop/old.env": 2, "/etc/same": 3})
    now = Basis(files={"/shop/.env": 9, "/shop/web/.env": 2, "/etc/same": 3})

    assert changed(WEB, before, project(), now) == [".env", "old.env", "web/.env"]


def test_the_environment_of_the_project_counts_for_commands_and_not_for_databases() -> None:
    database = replace(WEB, provider="postgres")

    assert basis_of(WEB, project(A="1"), ()) != basis_of(WEB, project(A="2"), ())
    assert basis_of(database, project(A="1"), ()) == basis_of(database, project(A="2"), ())


def test_a_service_of_which_nothing_is_known_is_compared_by_its_configuration_alone() -> None:
    now = Basis(files={"/shop/.env": 1}, environment=5)

    assert changed(WEB, None, project(), now) == []


def test_a_service_that_left_the_configuration_is_told_with_that_alone() -> None:
    now = Basis(environment=5)

    assert changed(WEB, Basis(), Project(name="shop", root=ROOT, services={}), now) == ["removed"]
