"""Specifies what is read of the code of an application: which variables, in which form."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devinit.runtime.forms.lists import Separator
from devinit.runtime.reading.files import code_files
from devinit.runtime.reading.folder import LARGEST_FILE, Folder
from devinit.runtime.reading.javascript import read_javascript
from devinit.runtime.reading.python import read_python
from devinit.runtime.reading.read import Code, Read
from devinit.runtime.reading.spring import read_spring

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
from pydantic import AliasChoices, BaseModel, Field, PostgresDsn
from pydantic_settings import BaseSettings, SettingsConfigDict, NoDecode

class Database(BaseModel):
    host: str = "localhost"
    port: int = 5432

class Base(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_nested_delimiter="__", env_file=(".env", "../.env"))
    debug: bool = False

class Settings(Base):
    database_url: str = "postgresql+asyncpg://app:app@localhost:5432/app"
    cors_origins: list[str] = ["http://localhost:5173"]
    hosts: Annotated[list[str], NoDecode] = ["a", "b"]
    trusted: str = "http://localhost:5173"
    replica: PostgresDsn
    cache: str = Field(default="redis://localhost/1", validation_alias=AliasChoices("CACHE_URL", "REDIS"))
    queue: str = Field(..., alias="QUEUE_URL")
    db: Database = Database()
    _private: str = "x"

origins = Settings().trusted.split(",")
"""


def names(code: Code) -> dict[str, Read]:
    return {each.name: each for each in code.reads}


def defaults(text: str) -> dict[str, str]:
    return {each.name: each.default for each in read_python(text).reads}


class TestSettingsOfPydantic:
    def test_are_read_under_their_prefix(self) -> None:
        read = names(read_python(SETTINGS))

        assert read["APP_DATABASE_URL"].default == "postgresql+asyncpg://app:app@localhost:5432/app"
        assert read["APP_DATABASE_URL"].line == 14
        assert "_PRIVATE" not in read

    def test_are_read_under_an_alias_instead(self) -> None:
        read = names(read_python(SETTINGS))

        assert read["CACHE_URL"].default == read["REDIS"].default == "redis://localhost/1"
        assert read["QUEUE_URL"].is_required
        assert "APP_CACHE" not in read

    def test_within_each_other_have_their_delimiter(self) -> None:
        read = names(read_python(SETTINGS))

        assert (read["APP_DB__HOST"].default, read["APP_DB__PORT"].default) == ("localhost", "5432")

    def test_of_lists_say_how_a_list_is_written(self) -> None:
        read = names(read_python(SETTINGS))

        assert (read["APP_CORS_ORIGINS"].separator, read["APP_CORS_ORIGINS"].default) == (
            Separator.JSON,
            '["http://localhost:5173"]',
        )
        assert (read["APP_HOSTS"].separator, read["APP_HOSTS"].default) == (Separator.COMMA, "a,b")
        assert read["APP_TRUSTED"].separator is Separator.COMMA

    def test_of_a_typed_address_have_its_scheme(self) -> None:
        replica = names(read_python(SETTINGS))["APP_REPLICA"]

        assert (replica.default, replica.is_required) == ("postgresql://localhost", True)

    def test_have_the_default_that_a_type_is_made_of(self) -> None:
        text = (
            "class Settings(BaseSettings):\n"
            '    cache: RedisDsn = RedisDsn("redis://localhost:6379/2")\n'
            '    database: PostgresDsn = Field(default=pydantic.PostgresDsn("postgresql+asyncpg://a@localhost/a"))\n'
            '    queue: AnyUrl = AnyUrl(url="amqp://localhost")\n'
            '    origins: list[AnyHttpUrl] = [AnyHttpUrl("http://localhost:3000")]\n'
            "    key: SecretStr = SecretStr(secrets.token_urlsafe(32))\n"
        )

        assert defaults(text) == {
            "CACHE": "redis://localhost:6379/2",
            "DATABASE": "postgresql+asyncpg://a@localhost/a",
            "QUEUE": "amqp://localhost",
            "ORIGINS": '["http://localhost:3000"]',
            "KEY": "",
        }

    def test_name_the_files_that_they_load(self) -> None:
        assert read_python(SETTINGS).env_files == (".env", "../.env")

    def test_of_the_first_version_are_read_too(self) -> None:
        text = (
            "class Settings(pydantic.BaseSettings):\n"
            '    url: str = Field("postgresql://localhost/a", env="MY_URL")\n'
            "    origins: List[AnyHttpUrl] = []\n"
            "    class Config:\n"
            '        env_prefix = "SHOP_"\n'
        )

        assert defaults(text) == {"MY_URL": "postgresql://localhost/a", "SHOP_ORIGINS": "[]"}


class TestCalls:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('os.environ["A"]', Read(name="A", line=1, is_required=True)),
            ('os.environ.get("A", "b")', Read(name="A", line=1, default="b")),
            ('os.getenv("A", 5432)', Read(name="A", line=1, default="5432")),
            ('os.getenv("A")', Read(name="A", line=1)),
            ('os.getenv("A", "x,y").split(",")', Read(name="A", line=1, default="x,y", separator=Separator.COMMA)),
            ('json.loads(os.environ["A"])', Read(name="A", line=1, is_required=True, separator=Separator.JSON)),
            ('env.db("A", default="postgres://b")', Read(name="A", line=1, default="postgres://b")),
            ("env.db()", Read(name="DATABASE_URL", line=1, is_required=True)),
            ('env.list("A", default=["x", "y"])', Read(name="A", line=1, default="x,y", separator=Separator.COMMA)),
            ('env("A")', Read(name="A", line=1, is_required=True)),
            ('config("A", default="x", cast=Csv())', Read(name="A", line=1, default="x", separator=Separator.COMMA)),
            ('dj_database_url.config(default="sqlite:///a")', Read(name="DATABASE_URL", line=1, default="sqlite:///a")),
        ],
    )  # fmt: skip
    def test_that_read_a_variable_are_known(self, text: str, expected: Read) -> None:
        assert read_python(text).reads == (expected,)

    @pytest.mark.parametrize(
        "text", ['os.environ["A"] = "b"', "os.environ.get(name)", 'config("a-b")', "os.getenv()", 'x["A"]']
    )
    def test_that_read_none_are_told_from_them(self, text: str) -> None:
        assert read_python(text).reads == ()


class TestAnEnvFileThatIsLoaded:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("load_dotenv()", Code()),
            ('load_dotenv("local.env")', Code(env_files=("local.env",))),
            ('\ndotenv.load_dotenv(dotenv_path="a.env", override=True)', Code(env_files=("a.env",), overrides_at=2)),
            ("load_dotenv(override=False)", Code()),
        ],
    )  # fmt: skip
    def test_is_known_and_whether_it_overrides_the_environment(self, text: str, expected: Code) -> None:
        assert read_python(text) == expected


class TestJavaScript:
    @pytest.mark.parametrize(
        ("text", "name", "default"),
        [
            ('const a = process.env.API_URL ?? "http://localhost:8000/api"', "API_URL", "http://localhost:8000/api"),
            ("import.meta.env.VITE_API_URL || 'http://localhost:8000'", "VITE_API_URL", "http://localhost:8000"),
            ("target: `http://127.0.0.1:${process.env.API_PORT || 5001}`,", "API_PORT", "5001"),
            ("target: `http://localhost:${process.env.API_PORT ?? '5001'}/v1`,", "API_PORT", "5001"),
            ('(import.meta.env.VITE_X as string) ?? "/api"', "VITE_X", "/api"),
            ('process.env["A_URL"] || `ws://localhost:1`', "A_URL", "ws://localhost:1"),
            ('DATABASE_URL: z.string().url().default("postgres://localhost/a"),', "DATABASE_URL", "postgres://localhost/a"),
        ],
    )  # fmt: skip
    def test_has_a_literal_where_there_is_no_value(self, text: str, name: str, default: str) -> None:
        [read] = read_javascript(f"\n{text}\n").reads

        assert (read.name, read.default, read.line) == (name, default, 2)

    @pytest.mark.parametrize(
        "text", ["process.env.A ?? other", "process.env.A || `http://${HOST}`", "a ?? 'b'"]
    )
    def test_without_a_literal_says_nothing(self, text: str) -> None:
        assert read_javascript(text).reads == ()

    @pytest.mark.parametrize(
        ("text", "name", "default"),
        [
            ('process.env.CORS_ORIGIN ? process.env.CORS_ORIGIN.split(",") : []', "CORS_ORIGIN", ""),
            ("process.env['ALLOWED_ORIGIN']?.split(',') ?? []", "ALLOWED_ORIGIN", ""),
            ('(process.env.ORIGINS || "").split(",")', "ORIGINS", ""),
            ('(process.env.ORIGINS ?? "http://localhost:1")\n  .split(",")', "ORIGINS", "http://localhost:1"),
        ],
    )
    def test_takes_a_list_apart(self, text: str, name: str, default: str) -> None:
        [read] = read_javascript(text).reads

        assert (read.name, read.default, read.separator) == (name, default, Separator.COMMA)

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("app.enableCors({ origin: [process.env.CORS], credentials: true })", "CORS"),
            ("cors({ origin: process.env.CLIENT_URL })", "CLIENT_URL"),
            ("axios.create({ baseURL: import.meta.env.VITE_API_BASE_URL })", "VITE_API_BASE_URL"),
            ("const url = `${process.env.NEXT_PUBLIC_API_BASE_URL}/items`", "NEXT_PUBLIC_API_BASE_URL"),
            ("import { PUBLIC_API_URL } from '$env/static/public'", "PUBLIC_API_URL"),
        ],
    )
    def test_cannot_do_without_an_origin_and_the_address_of_the_api(self, text: str, name: str) -> None:
        [read] = read_javascript(text).reads

        assert (read.name, read.default, read.is_required) == (name, "", True)

    @pytest.mark.parametrize(
        "text",
        [
            "import.meta.env.VITE_API_BASE_URL ?? location.origin",
            "import.meta.env.VITE_API_BASE_URL || location.origin",
            "process.env.REACT_APP_API_URL ? real : mocked",
            "import.meta.env.VITE_SOCKET_URL && connect()",
            "if (import.meta.env.VITE_API_BASE_URL === undefined) mock()",
            "process.env.INTERNAL_API_URL",
            "cors({ origin: process.env.ORIGIN || true })",
        ],
    )
    def test_does_without_what_it_asks_for_first(self, text: str) -> None:
        assert read_javascript(text).reads == ()


class TestOneOrigin:
    @pytest.mark.parametrize(
        ("text", "default"),
        [
            ("cors({ origin: process.env.ALLOWED_ORIGINS })", ""),
            (
                'const origin = process.env.CORS_ORIGIN || ["http://localhost:3000", "http://localhost:3001"];',
                "http://localhost:3000",
            ),
        ],
    )
    def test_is_what_a_server_of_node_takes(self, text: str, default: str) -> None:
        [read] = read_javascript(text).reads

        assert (read.is_one_origin, read.default) == (True, default)

    @pytest.mark.parametrize(
        "text",
        [
            'process.env.CORS_ORIGIN?.split(",") || ["http://localhost:3000"]',
            'process.env.TAGS || ["a", "b"]',
        ],
    )
    def test_is_no_list_that_is_taken_apart(self, text: str) -> None:
        assert not any(each.is_one_origin for each in read_javascript(text).reads)


class TestTheAddressOfADataSource:
    @pytest.mark.parametrize(
        "text",
        [
            "new Pool({ connectionString: process.env.SHOP_DB_DSN })",
            "new Redis(process.env.SHOP_DB_DSN!)",
            "createClient({ url: process.env.SHOP_DB_DSN as string, })",
        ],
    )
    def test_is_needed_by_what_connects_with_it(self, text: str) -> None:
        [read] = read_javascript(text).reads

        assert (read.name, read.is_required) == ("SHOP_DB_DSN", True)

    @pytest.mark.parametrize(
        "text", ["Sentry.init({ dsn: options.dsn })", "fetch({ url: process.env.PAGE })"]
    )
    def test_is_no_other_value(self, text: str) -> None:
        assert read_javascript(text).reads == ()

    def test_may_be_in_parts(self) -> None:
        text = "new Pool({ host: process.env.DB_HOST, port: Number(process.env.DB_PORT) || 5432, user: process.env.USER })"

        assert [each.name for each in read_javascript(text).reads] == ["DB_HOST", "DB_PORT"]

    def test_is_needed_by_python_under_a_name_for_it(self) -> None:
        reads = names(read_python('import os\na = os.getenv("SHOP_DB_DSN")\nb = os.getenv("PAGE")\n'))

        assert (reads["SHOP_DB_DSN"].is_required, reads["PAGE"].is_required) == (True, False)


class TestAnEngineOfSqlalchemy:
    @pytest.mark.parametrize("url", ["settings.database_url", "DATABASE_URL", "str(settings.DATABASE_URL)"])
    def test_that_is_asynchronous_says_which_driver_its_url_needs(self, url: str) -> None:
        assert defaults(f"engine = create_async_engine({url}, echo=True)") == {
            "DATABASE_URL": "postgresql+asyncpg://"
        }

    @pytest.mark.parametrize("url", ["make_url()", "URL.replace('a', 'b')", "f'{A}'"])
    def test_whose_url_is_put_together_says_nothing(self, url: str) -> None:
        assert defaults(f"engine = create_async_engine({url})") == {}


class TestAPageThatCannotDoWithoutAnAddress:
    @pytest.mark.parametrize(
        "text",
        [
            "axios.get(`${process.env.REACT_APP_API_SERVICE_URL}/users`)",
            "fetch(import.meta.env.REACT_APP_API_SERVICE_URL + '/users')",
        ],
    )
    def test_reads_one_that_it_needs(self, text: str) -> None:
        [read] = read_javascript(text).reads

        assert (read.name, read.default, read.is_required) == ("REACT_APP_API_SERVICE_URL", "", True)

    @pytest.mark.parametrize(
        "text",
        [
            "const url = `${process.env.API_URL ?? ''}/users`",
            "console.log(`${process.env.NODE_ENV}`)",
        ],
    )
    def test_or_one_that_may_be_missing(self, text: str) -> None:
        assert not any(each.is_required for each in read_javascript(text).reads)


class TestSpring:
    @pytest.mark.parametrize(
        ("text", "name", "default", "is_required"),
        [
            ("spring.datasource.url=${POSTGRES_URL}", "POSTGRES_URL", "jdbc:postgresql://localhost", True),
            ("spring:\n  datasource:\n    url: ${DB_URL}", "DB_URL", "jdbc:postgresql://localhost", True),
            ("spring:\n  datasource:\n    url: ${DB_URL:jdbc:postgresql://db:5432/a}", "DB_URL", "jdbc:postgresql://db:5432/a", False),
            ("spring.data.redis.port=${REDIS_PORT:6379}", "REDIS_PORT", "6379", False),
        ],
    )  # fmt: skip
    def test_wants_a_jdbc_url_for_a_data_source(
        self, text: str, name: str, default: str, is_required: bool
    ) -> None:
        [read] = read_spring(text).reads

        assert (read.name, read.default, read.is_required) == (name, default, is_required)

    @pytest.mark.parametrize("text", ["# a=${B}", "a=b-${C}-d", "a=${lower}", "plain"])
    def test_without_a_whole_reference_says_nothing(self, text: str) -> None:
        assert read_spring(text).reads == ()

    def test_takes_an_address_that_it_states_from_the_environment_as_well(self) -> None:
        text = """\
            spring:
              datasource:
                type: com.zaxxer.hikari.HikariDataSource
                url: jdbc:postgresql://localhost:5432/shop # here
                username: shop
                password:
              data:
                redis:
                  host: localhost
            server:
              port: 8080
        """

        reads = read_spring(textwrap.dedent(text)).reads

        assert [(each.name, each.default, each.line) for each in reads] == [
            ("SPRING_DATASOURCE_URL", "jdbc:postgresql://localhost:5432/shop", 4),
            ("SPRING_DATASOURCE_USERNAME", "shop", 5),
            ("SPRING_DATASOURCE_PASSWORD", "", 6),
            ("SPRING_DATA_REDIS_HOST", "localhost", 9),
        ]

    def test_reads_properties_alike(self) -> None:
        [read] = read_spring("spring.datasource.url = jdbc:postgresql://localhost/shop").reads

        assert (read.name, read.default) == ("SPRING_DATASOURCE_URL", "jdbc:postgresql://localhost/shop")

    def test_with_another_database_in_one_of_its_files_is_left_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "src/main/resources/config"
        folder.mkdir(parents=True)
        url = "spring.datasource.url"
        (folder / "application.properties").write_text(f"{url}=jdbc:postgresql://localhost/shop\n")
        (folder / "application-dev.properties").write_text(f"{url}=jdbc:h2:mem:shop\n")

        assert Folder().code(code_files(tmp_path)) == {}

    def test_is_found_beside_the_code(self, tmp_path: Path) -> None:
        (tmp_path / "src/main/resources").mkdir(parents=True)
        (tmp_path / "src/main/resources/application.yml").write_text(
            "spring:\n  datasource:\n    url: ${A_URL}\n"
        )

        found = Folder().code(code_files(tmp_path))

        assert [each.name for code in found.values() for each in code.reads] == ["A_URL"]


class TestAnyText:
    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.sampled_from([*SETTINGS.split("\n"), "(", "class A(A):", "    a: b = [", "\0", "\ud800"])
        ).map("\n".join)
    )
    def test_is_read_without_an_error(self, text: str) -> None:
        read_python(text)
        read_javascript(text)

    def test_that_nests_without_end_is_no_code(self) -> None:
        assert read_python("os.environ[" + "(" * 100_000) == Code()
        assert read_python("x = " + "-" * 50_000 + "1") == Code()


class TestAFolder:
    def test_is_read_without_running_anything(self, tmp_path: Path) -> None:
        mark = tmp_path / "ran"
        (tmp_path / "settings.py").write_text(f'open({str(mark)!r}, "w")\nimport os\nos.environ["A_URL"]\n')

        found = Folder().code(code_files(tmp_path))

        assert [each.name for code in found.values() for each in code.reads] == ["A_URL"]
        assert not mark.exists()

    def test_has_its_settings_first_and_neither_tests_nor_packages(self, tmp_path: Path) -> None:
        for name in (
            "a.py", "core/config.py", "test_a.py", "node_modules/b.js", ".venv/c.py", "other/d.py", "e.txt",
        ):  # fmt: skip
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")

        files = code_files(tmp_path, {str(tmp_path / "other")})

        assert files == [str(tmp_path / "core/config.py"), str(tmp_path / "a.py")]

    def test_reads_a_file_again_when_it_has_changed_and_only_then(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, folder = tmp_path / "a.py", Folder()
        file.write_text('os.environ["A"]')
        folder.code([str(file)])
        file.write_text('os.environ["BC"]')
        changed = folder.code([str(file)])
        parsed: list[str] = []
        monkeypatch.setattr("devinit.runtime.reading.python.read_python", parsed.append)

        again = folder.code([str(file)])

        assert [each.name for each in changed[str(file)].reads] == ["BC"]
        assert again == changed
        assert parsed == []

    def test_has_no_code_in_what_is_too_large_or_leads_out_of_it(self, tmp_path: Path) -> None:
        outside, inside = tmp_path / "secret.py", tmp_path / "app"
        inside.mkdir()
        outside.write_text('os.environ["A"]')
        (inside / "a.py").symlink_to(outside)
        (inside / "b.py").write_text('os.environ["B"]\n' + "#" * LARGEST_FILE)

        assert Folder().code(code_files(inside)) == {}
