"""Specifies which extensions migrations want, and which PostgreSQL is chosen for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devinit.kinds.postgres.extensions import MOST_EXTENSIONS, lacking, named_in, wanted_by
from devinit.kinds.programs import Candidate, Origin, Program, proven
from devinit.kinds.providers import PROVIDERS
from tests.kinds.conftest import Bench, embedded_postgres, system_postgres
from tests.places import deep


def names_in(text: str, *, prisma: bool = False) -> list[str]:
    return [name for _, name in named_in(text.encode(), prisma=prisma)]


@pytest.fixture
def embedded() -> Path:
    found = embedded_postgres()
    if found is None:
        pytest.skip("there is no embedded PostgreSQL on this machine")
    return found


class TestAMigration:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ('CREATE EXTENSION IF NOT EXISTS "uuid-ossp";', ["uuid-ossp"]),
            ("create extension pgcrypto with schema public;", ["pgcrypto"]),
            ("op.execute('CREATE EXTENSION IF NOT EXISTS \"postgis\"')", ["postgis"]),
            ('op.execute("CREATE EXTENSION IF NOT EXISTS \\"vector\\"")', ["vector"]),
            ("CREATE\n  EXTENSION hstore; CREATE EXTENSION citext;", ["hstore", "citext"]),
            ('  enable_extension "pgcrypto"', ["pgcrypto"]),
            ("operations = [CreateExtension('postgis'), TrigramExtension()]", ["postgis", "pg_trgm"]),
            ("operations = [CreateExtension(name='vector')]", ["vector"]),
            ("-- CREATE EXTENSION pgcrypto;\n# CryptoExtension()\n", []),
            ("DROP EXTENSION pgcrypto; ALTER EXTENSION postgis UPDATE;", []),
        ],
    )
    def test_names_the_extensions_that_it_creates(self, text: str, names: list[str]) -> None:
        assert names_in(text) == names

    def test_may_be_prisma_s_schema(self) -> None:
        text = (
            'datasource db {\n  extensions = [pgcrypto, uuidOssp(map: "uuid-ossp"), postgis(version: "3")]\n}'
        )

        assert names_in(text, prisma=True) == ["pgcrypto", "uuid-ossp", "postgis"]

    def test_is_looked_for_where_migrations_lie(self, tmp_path: Path) -> None:
        for name in (
            "backend/alembic/versions/1.py",
            "db/init.sql",
            "web/app.py",
            "node_modules/x/migrations/1.sql",
        ):
            (path := tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'-- first\nCREATE EXTENSION "{path.parent.name}-{path.stem}";\n')

        assert wanted_by(tmp_path) == {
            "versions-1": "backend/alembic/versions/1.py, line 2",
            "db-init": "db/init.sql, line 2",
        }

    def test_that_is_a_pipe_or_leads_out_of_the_checkout_is_passed_over(self, tmp_path: Path) -> None:
        (outside := tmp_path / "outside.sql").write_text("CREATE EXTENSION postgis;")
        (root := tmp_path / "shop").mkdir()
        (root / "link.sql").symlink_to(outside)
        os.mkfifo(root / "pipe.sql")

        assert wanted_by(root) == {}

    def test_that_lies_deeper_than_anyone_works_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "1.sql").write_text("CREATE EXTENSION postgis;")
        with deep(tmp_path):
            assert wanted_by(tmp_path) == {"postgis": "1.sql, line 1"}

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("between", [" ", "\n"])
    @pytest.mark.parametrize("name", ["a", "{}"])
    def test_that_creates_one_again_and_again_is_read_at_once(
        self, tmp_path: Path, between: str, name: str
    ) -> None:
        statements = (f"CREATE EXTENSION {name.format(f'a{number}')}" for number in range(40_000))
        (tmp_path / "1.sql").write_text(between.join(statements))

        assert 1 <= len(wanted_by(tmp_path)) <= MOST_EXTENSIONS
        assert len(names_in(between.join(["CREATE EXTENSION a"] * 50_000))) == 50_000


class TestAPostgres:
    def test_that_is_embedded_lacks_pgcrypto_and_has_others(self, embedded: Path) -> None:
        program = proven(Candidate(Origin.EMBEDDED, embedded / "postgres"))
        assert program is not None

        missing = lacking({"pgcrypto": "here", "hstore": "there", "plpgsql": "everywhere"}, program)

        assert missing == {"pgcrypto": "here"}

    def test_from_the_system_is_preferred_where_the_first_one_lacks_what_is_wanted(
        self, bench: Bench, embedded: Path
    ) -> None:
        system = system_postgres()
        if system is None or not Path("/usr/share/postgresql").is_dir():
            pytest.skip("there is no PostgreSQL of Debian on this machine")
        (bench.place.root / "schema.sql").write_text("CREATE EXTENSION pgcrypto;")
        # The one on the PATH is the first that is looked at.
        bench.place.environment["PATH"] = f"{embedded}:/usr/bin:/bin"

        notes = PROVIDERS["postgres"].prepare(bench.postgres(None), bench.place, bench.said.append)

        assert notes == ()
        assert f"from {system}" in bench.said[0]

    def test_without_what_is_wanted_is_said_so_before_anything_is_migrated(
        self, bench: Bench, embedded: Path
    ) -> None:
        (bench.place.root / "schema.sql").write_text("\nCREATE EXTENSION pgcrypto;")

        [note] = PROVIDERS["postgres"].prepare(bench.postgres(embedded), bench.place, bench.said.append)

        assert "does not have what migrations create: pgcrypto (schema.sql, line 2)" in note
        assert PROVIDERS["postgres"].prepare(bench.postgres(embedded), bench.place, bench.said.append) == ()


def test_a_program_that_does_not_say_what_it_has_lacks_nothing(tmp_path: Path) -> None:
    program = Program(
        origin=Origin.SYSTEM,
        file=str(tmp_path / "bin/postgres"),
        flavour="postgres",
        version="99",
        major=99,
        size=0,
        modified=0,
    )

    assert lacking({"pgcrypto": "here"}, program) == {}
