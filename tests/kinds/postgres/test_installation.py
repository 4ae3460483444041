"""Specifies `devinit.kinds.postgres.installation`: which PostgreSQL runs the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinit.errors import ProviderError
from devinit.kinds.postgres import installation
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.programs import Origin, Program
from devinit.kinds.providers import Place
from devinit.model.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable


def a_fake(folder: Path, version: str, *, beside: tuple[str, ...] = ("initdb", "psql")) -> Path:
    """Make a folder of programs that only tell their version, and count how often they are asked."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("postgres", *beside):
        (folder / name).write_text(
            f"#!/bin/sh\necho asked >> {folder}/asked\necho 'postgres (PostgreSQL) {version}'\n"
        )
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A machine without any PostgreSQL."""
    monkeypatch.setattr(installation, "SYSTEM_FOLDERS", (f"{str(tmp_path)[1:]}/lib/*/bin",))
    monkeypatch.setattr(installation, "package_folder", lambda _: None)
    return Place(
        project="shop", root=tmp_path, data=tmp_path / "data", environment={"PATH": str(tmp_path / "path")}
    )


@pytest.fixture
def chosen(place: Place) -> Callable[..., Program]:
    def choose(*, binaries: Path | None = None, data_of: tuple[int, ...] = ()) -> Program:
        settings = PostgresSettings(database="shop", user="shop", binaries=binaries)
        service = Service(name="postgres", provider="postgres", directory=place.root, settings=settings)
        home = place.data / "postgres"
        return installation.choose(
            service, place, home, {major: home / f"pg{major}" for major in data_of}, lambda _: None
        )

    return choose


class TestTheOrder:
    def test_begins_with_the_setting_of_the_service(
        self, chosen: Callable[..., Program], place: Place, tmp_path: Path
    ) -> None:
        place.environment["DEVINIT_PG_BIN"] = str(a_fake(tmp_path / "b", "16.1"))
        explicit = a_fake(tmp_path / "a", "15.1")

        program = chosen(binaries=explicit)

        assert (program.origin, program.folder) == (Origin.EXPLICIT, explicit)

    def test_goes_on_with_the_variable(
        self, chosen: Callable[..., Program], place: Place, tmp_path: Path
    ) -> None:
        place.environment["DEVINIT_PG_BIN"] = str(tmp_path / "b")
        a_fake(tmp_path / "b" / "bin", "16.1")
        a_fake(tmp_path / "path", "17.1")

        assert chosen().major == 16

    def test_goes_on_with_the_path(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "path", "14.1")
        a_fake(tmp_path / "lib/18/bin", "18.1")

        program = chosen()

        assert (program.origin, program.major) == (Origin.SYSTEM, 14)

    def test_goes_on_with_what_pg_config_says(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "hidden", "15.1")
        a_fake(tmp_path / "lib/18/bin", "18.1")
        (tmp_path / "path").mkdir()
        (tmp_path / "path/pg_config").write_text(f"#!/bin/sh\necho {tmp_path}/hidden\n")
        (tmp_path / "path/pg_config").chmod(0o755)

        assert chosen().major == 15

    def test_goes_on_with_the_newest_that_is_installed(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        for major in ("9.6", "15", "18", "17"):
            a_fake(tmp_path / f"lib/{major}/bin", major)

        assert chosen().major == 18

    def test_ends_with_the_wheel(
        self, chosen: Callable[..., Program], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_fake(tmp_path / "wheel/pginstall/bin", "18.6")
        monkeypatch.setattr(installation, "package_folder", lambda _: tmp_path / "wheel")

        assert chosen().origin is Origin.EMBEDDED

    def test_passes_over_what_is_too_old_or_incomplete(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        a_fake(tmp_path / "path", "17.1", beside=())
        a_fake(tmp_path / "lib/18/bin", "9.6")
        a_fake(tmp_path / "lib/15/bin", "15.1")

        assert chosen().major == 15

    def test_finds_the_companions_of_a_link(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        real = a_fake(tmp_path / "real", "15.1")
        (tmp_path / "path").mkdir()
        for name in ("postgres", "initdb"):
            (tmp_path / "path" / name).symlink_to(real / name)

        assert chosen().folder == tmp_path / "path"

    def test_fails_with_the_name_of_the_extra(self, chosen: Callable[..., Program]) -> None:
        with pytest.raises(ProviderError, match="no PostgreSQL was found") as error:
            chosen()

        assert "'devinit[embedded]'" in str(error.value.hint)

    def test_fails_when_the_developers_own_cannot_be_used(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        a_fake(tmp_path / "path", "15.1")

        with pytest.raises(ProviderError, match="holds no PostgreSQL that can be used"):
            chosen(binaries=tmp_path / "nothing")


class TestTheMajor:
    def test_is_that_of_the_data(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "lib/18/bin", "18.1")
        a_fake(tmp_path / "lib/15/bin", "15.1")

        assert chosen(data_of=(15,)).major == 15

    def test_is_named_when_it_is_not_installed(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "lib/18/bin", "18.1")

        with pytest.raises(
            ProviderError, match=r"made by PostgreSQL 15.*found: PostgreSQL 18\.1 in"
        ) as error:
            chosen(data_of=(15,))

        assert "install PostgreSQL 15" in str(error.value.hint)
        assert f"mv {tmp_path}/data/postgres/pg15 " in str(error.value.hint)

    def test_is_refused_when_the_developer_names_another(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        explicit = a_fake(tmp_path / "a", "18.1")

        with pytest.raises(ProviderError, match="made by PostgreSQL 15"):
            chosen(binaries=explicit, data_of=(15,))


class TestWhatIsRemembered:
    def test_is_used_again_without_running_anything(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        folder = a_fake(tmp_path / "path", "15.1")
        before = chosen()
        asked = (folder / "asked").read_text()

        assert chosen(data_of=(15,)) == before
        assert (folder / "asked").read_text() == asked

    def test_stays_when_a_newer_one_is_installed(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        a_fake(tmp_path / "lib/15/bin", "15.1")
        chosen()
        a_fake(tmp_path / "path", "18.1")

        assert chosen(data_of=(15,)).major == 15

    def test_follows_a_minor_update(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "path", "15.1")
        chosen()
        a_fake(tmp_path / "path", "15.20")

        assert chosen(data_of=(15,)).version == "15.20"

    def test_gives_way_to_another_build_of_the_same_major(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        gone = a_fake(tmp_path / "path", "15.1")
        chosen()
        for name in gone.iterdir():
            name.unlink()
        a_fake(tmp_path / "lib/15/bin", "15.3")

        assert chosen(data_of=(15,)).version == "15.3"

    def test_gives_way_when_the_setting_changes(self, chosen: Callable[..., Program], tmp_path: Path) -> None:
        a_fake(tmp_path / "path", "15.1")
        chosen()

        assert chosen(binaries=a_fake(tmp_path / "a", "16.1")).major == 16

    def test_gives_way_when_a_major_update_took_its_place(
        self, chosen: Callable[..., Program], tmp_path: Path
    ) -> None:
        a_fake(tmp_path / "path", "15.1")
        chosen()
        a_fake(tmp_path / "path", "16.10")

        with pytest.raises(ProviderError, match=r"made by PostgreSQL 15.*found: PostgreSQL 16\.10"):
            chosen(data_of=(15,))
