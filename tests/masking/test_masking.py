"""Specifies which secrets are hidden in texts, command lines, variables and JSON, and what stays readable."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings, strategies

from devinit.masking import (
    masked,
    masked_data,
    masked_line,
    masked_value,
    masked_words,
    may_hold_secrets,
)
from devinit.masking.names import GUARDING, SECRET_ENDINGS, SECRET_LAST, SECRET_WORDS
from devinit.masking.patterns import without_secrets

HIDDEN_IN = {
    # URLs
    "postgresql://shop:hunter2@127.0.0.1/shop": "postgresql://shop:***@127.0.0.1/shop",
    "postgres://u:p@hunter2@h/d": "postgres://u:***@h/d",
    "postgres://u:p/hunter2@h/d?x=1": "postgres://u:***@h/d?x=1",
    "redis://:hunter2@localhost:6379,redis://:hunter2@h": "redis://:***@localhost:6379,redis://:***@h",
    "https://ghp_hunter2hunter2@github.com/a/b.git": "https://***@github.com/a/b.git",
    "GET /login?token=hunter2&next=/ HTTP/1.1": "GET /login?token=***&next=/ HTTP/1.1",
    "jdbc:mysql://h/db?user=x&password=hunter2&z=1": "jdbc:mysql://h/db?user=x&password=***&z=1",
    "GET /items?auth=hunter2&page=1": "GET /items?auth=***&page=1",
    "GET /maps?key=hunter2&zoom=1": "GET /maps?key=***&zoom=1",
    "odbc_connect=UID%3Dsa%3BPWD%3Dhunter2": "odbc_connect=UID%3Dsa%3BPWD%3D***",
    # connection strings: .NET, Azure, Go, MySQL
    "Server=db;User Id=sa;Password=hunter 2!;Encrypt=true": "Server=db;User Id=sa;Password=***;Encrypt=true",
    "Server=db;User Id=sa;Pwd=hunter 2": "Server=db;User Id=sa;Pwd=***",
    "Password=hunter 2;Server=db": "Password=***;Server=db",
    "AccountName=x;AccountKey=hunter2==;Suffix=core": "AccountName=x;AccountKey=***;Suffix=core",
    "host=localhost user=gorm password=hunter2 port=9920": "host=localhost user=gorm password=*** port=9920",
    "root:hunter2@tcp(127.0.0.1:3306)/db?parseTime=true": "root:***@tcp(127.0.0.1:3306)/db?parseTime=true",
    "root:hunt@er/2@unix(/tmp/mysql.sock)/db": "root:***@unix(/tmp/mysql.sock)/db",
    "root:hunter2@/db": "root:***@/db",
    # options
    "vite --password hunter2 --port 3000": "vite --password *** --port 3000",
    "vite --api-key=hunter2 --port 3000": "vite --api-key=*** --port 3000",
    "redis-server --requirepass hunter2": "redis-server --requirepass ***",
    "java -Dspring.datasource.password=hunter2 -jar x.jar": "java -Dspring.datasource.password=*** -jar x.jar",
    "['serve', '--token', 'hunter2']": "['serve', '--token', '***']",
    "mysql -uroot -phunter2 shop -P 3306": "mysql -uroot -p*** shop -P 3306",
    "/usr/bin/mysqldump -uroot -phunter2 shop": "/usr/bin/mysqldump -uroot -p*** shop",
    """sh -c "mysql -uroot -p'hunter 2' shop\"""": """sh -c "mysql -uroot -p'***' shop\"""",
    "sshpass -p hunter2 ssh host -p 22": "sshpass -p *** ssh host -p 22",
    "redis-cli -h db -a hunter2 ping": "redis-cli -h db -a *** ping",
    "mongosh -u a -p hunter2 shop": "mongosh -u a -p *** shop",
    "curl -u bob:hunter2 http://x": "curl -u bob:*** http://x",
    "docker login -u a -p hunter2 registry": "docker login -u a -p *** registry",
    "https --auth ada:hunter2 GET x": "https --auth ada:*** GET x",
    "http POST example.org --auth=ada:hunter2": "http POST example.org --auth=ada:***",
    "http example.org -a ada:hunter2": "http example.org -a ada:***",
    "xh -a ada:hunter2 get x": "xh -a ada:*** get x",
    "xhs --auth ada:hunter2 x": "xhs --auth ada:*** x",
    "gem push --key hunter2 shop.gem": "gem push --key *** shop.gem",
    "gem yank -k hunter2 shop": "gem yank -k *** shop",
    "xh --bearer hunter2 x": "xh --bearer *** x",
    "serve --bearer=hunter2 x": "serve --bearer=*** x",
    "redis-cli ACL SETUSER ada on >hunter2 ~*": "redis-cli ACL SETUSER ada on >*** ~*",
    "redis-cli acl setuser ada '>hunter2' on": "redis-cli acl setuser ada '>***' on",
    '"ACL" "SETUSER" "ada" "on" ">hunter2" "+@all"': '"ACL" "SETUSER" "ada" "on" ">***" "+@all"',
    "users.acl:1: user default on >hunter2 ~* +@all": "users.acl:1: user default on >*** ~* +@all",
    "user ada >hunter2 <old-one ~app:* -@all +get on": "user ada >*** <*** ~app:* -@all +get on",
    "openssl rsa -passin pass:hunter2 -in x": "openssl rsa -passin pass:*** -in x",
    # assignments
    "env RAILS_MASTER_KEY=hunter2 APP_ENV=dev rails s": "env RAILS_MASTER_KEY=*** APP_ENV=dev rails s",
    "DB_PASSWORD='hunter 2' uvicorn app": "DB_PASSWORD='***' uvicorn app",
    "password = hunter2": "password = ***",
    "connect(password=hunter2, user=x)": "connect(password=***, user=x)",
    "config['DB_PASSWORD'] = 'hunter2'": "config['DB_PASSWORD'] = '***'",
    "\x1b[36mpassword\x1b[0m=\x1b[35mhunter2\x1b[0m done": "\x1b[36mpassword\x1b[0m=\x1b[35m***\x1b[0m done",
    'PASSWORD="hunter 2 that was cu…': 'PASSWORD="***',
    # JSON and what looks like it
    '{"password": "hunter2", "user": "shop"}': '{"password": "***", "user": "shop"}',
    "{'password': 'hun\"ter2', 'user': 'shop'}": "{'password': '***', 'user': 'shop'}",
    r"{\"db_password\": \"hunter2\", \"a\": 1}": r"{\"db_password\": \"***\", \"a\": 1}",
    '"password"=>"hunter2"': '"password"=>"***"',
    "password: !!str hunter2": "password: !!str ***",
    "password: !!binary aHVudGVyMg==": "password: !!binary ***",
    "password: !secret hunter2": "password: !secret ***",
    "password: !<tag:yaml.org,2002:str> hunter2": "password: !<tag:yaml.org,2002:str> ***",
    "password: &shop hunter2": "password: &shop ***",
    "password: &shop !!str 'hunter 2'": "password: &shop !!str '***'",
    '"password": !!str "hunter 2"': '"password": !!str "***"',
    # headers
    "curl -H 'Authorization: Bearer hunter2' x": "curl -H 'Authorization: Bearer ***' x",
    "Private-Token: hunter2": "Private-Token: ***",
    "Cookie: a=hunter2; session=hunter2": "Cookie: ***",
    "curl -H Private-Token:hunter2 x": "curl -H Private-Token:*** x",
    "curl -H 'Cookie:a=hunter2' x": "curl -H 'Cookie:***' x",
    # SQL
    "CREATE ROLE x PASSWORD 'hunter''2' LOGIN": "CREATE ROLE x PASSWORD '***' LOGIN",
    "SET PASSWORD FOR 'x'@'%' = PASSWORD('hunter2')": "SET PASSWORD FOR 'x'@'%' = PASSWORD('***')",
    'set password for x = old_password("hunter2")': 'set password for x = old_password("***")',
    "UPDATE user SET Password = 1, x = PASSWORD('hunter2')": "UPDATE user SET Password = ***, x = PASSWORD('***')",
    "CREATE USER x IDENTIFIED BY 'hunter2'": "CREATE USER x IDENTIFIED BY '***'",
}
READABLE = [
    "fn login(password: &str) -> token: &'static str",
    "password: !important",
    "FAILED: Can't locate revision identified by 'abc123'",
    'redis has no password; `password = "random"` keeps other users out',
    "http://localhost:5173/@vite/client",
    "http://localhost:3000?next=a@b.c",
    "localhost:3000/@/src/main.ts",
    "git@github.com:shop/shop.git",
    "at file:///app/node_modules/@next/x.js:10:5",
    "mail me@example.com at 10:30",
    "write it in full: postgresql://user:password@host:5432/database",
    "psql -p 5432 -h localhost",
    "docker run -p 8000:80 image",
    "mysql -p shop",
    "python -m http.server -p 8000",
    "mkdir -p build && cp -a src build",
    "PWD=/home/ada OLDPWD=/tmp PATH=/usr/bin COMPASS=north",
    "error: option --token is required",
    "serve --password ${DB_PASSWORD} --token $API_TOKEN",
    "SyntaxError: Unexpected token: x",
    "password authentication failed for user shop",
    "CORS_ALLOW_CREDENTIALS=true",
    "pass=12 fail=0",
    "max_tokens=4096 tokens=12",
    "the key: value store keeps MONKEY_KEYS=3",
    "if password == other: retry",
    "initdb --auth scram-sha-256 --auth-host trust",
    "mongod --auth --port 27017",
    "GET /items?oauth=1&author=ada",
    "GET /items?auth=false",
    "run as user ada >out.log",
    "createuser ada >out.log",
    "the user logged on > see the log",
    "grep user on >/dev/null",
    "ACL SETUSER ada on nopass ~* +@all",
    "password('Enter your name')",
    "gem install rails --key value",
    "the bearer of news",
    "xh get example.org",
    "https example.org --all",
]

PARTS = (
    *(
        "password",
        "=",
        "--token",
        " ",
        "'",
        '"',
        ":",
        "://",
        "@",
        "user",
        "mysql",
        "-p",
        "-phunter2",
        ";Server=x",
    ),
    *(
        "\x1f",
        "\x1b[31m",
        "{",
        "}",
        "?key=",
        "&",
        " PASSWORD ",
        "Authorization: Bearer ",
        "\\",
        "redis-cli",
        "-a",
    ),
    *(
        "identified with x by ",
        " eyJhbGciOi.eyJzdWIi.x ",
        " ghp_a1a1a1a1a1a1a1a1a1a1 ",
        "{ password: ",
        "password $$",
        "<x>",
    ),
    *(
        "map[",
        "config set ",
        "-----BEGIN PRIVATE KEY-----",
        "login x password ",
        " Bearer a1b2c3d4e5f6g7h8 ",
        ";",
    ),
    *("Authorization: Digest ", "value=", "&amp;sig=", "x-token:", "//x-token:a1@h"),
    *("$", "${X}", "tcp(", "/", "\n", "cookie: ", "***", "sshpass", "curl", "-u", "x"),
)
TEXTS = strategies.lists(strategies.sampled_from(PARTS), max_size=14).map("".join)


class TestAText:
    @pytest.mark.parametrize(("text", "shown"), HIDDEN_IN.items(), ids=range(len(HIDDEN_IN)))
    def test_is_shown_without_its_secrets(self, text: str, shown: str) -> None:
        assert masked(text) == shown

    @pytest.mark.parametrize("text", HIDDEN_IN.values(), ids=range(len(HIDDEN_IN)))
    def test_that_was_masked_before_stays_as_it_is(self, text: str) -> None:
        assert masked(text) == text

    @settings(max_examples=300, deadline=None)
    @given(TEXTS)
    def test_of_any_composition_is_masked_once_and_for_all(self, text: str) -> None:
        assert masked(masked(text)) == masked(text)

    @pytest.mark.parametrize("text", READABLE)
    def test_without_secrets_stays_as_it_is(self, text: str) -> None:
        assert masked(text) == text

    @pytest.mark.parametrize(
        "text",
        [
            "a" * 200_000 + "=@",
            "password=" * 20_000 + "@",
            "a:b," * 20_000 + "@key=",
            "://a:" * 20_000 + "@",
            "'" * 50_000 + "password=",
            "x-" * 50_000 + "token: ",
            "mysql " * 10_000 + "-p",
            "password='" * 10_000,
            "{" + "password:" * 20_000,
            "eyJ" * 60_000,
            "eyJhbGciOi." * 20_000,
            "sk-" * 60_000,
            "password $" * 20_000,
            "identified by 'x" * 10_000,
            "<password>" * 20_000,
            "name='password' value=" * 10_000,
            "login x " * 20_000 + "password",
            "config set " * 20_000 + "password",
            "user x on " * 20_000 + " >x",
            "setuser x" + " on" * 50_000 + " >x",
            "setuser x" + " >x'" * 50_000,
            "password for x=password(" * 10_000,
            "PASSWORD(" + " " * 100_000,
            "-----BEGIN PRIVATE KEY-----" * 8_000,
            "bearer " * 20_000,
            "a:b " * 40_000 + "key",
        ],
        ids=lambda text: text[:10],
    )
    def test_of_any_length_takes_no_time_that_grows_with_its_square(self, text: str) -> None:
        begun = time.process_time()

        masked(text)

        # Some tenths of a second; the square would be minutes.
        assert time.process_time() - begun < 5

    @pytest.mark.parametrize(
        "text",
        [
            "http://localhost:8001",
            "postgresql://shop:***@127.0.0.1:5432/shop",
            "ready after 133 ms",
            "web: ready",
        ],
    )
    def test_of_a_usual_status_loads_no_patterns(self, text: str) -> None:
        assert not may_hold_secrets(text)

        code = f"import sys, devinit.text; devinit.text.plain({text!r}); assert 're' not in sys.modules"
        subprocess.run([sys.executable, "-S", "-c", code], check=True, timeout=60)


NAMES = [
    *(f"X_{word}" for word in (*SECRET_WORDS, *SECRET_ENDINGS, *SECRET_LAST)),
    *(f"{kind}_{word}" for kind in GUARDING for word in ("KEY", "KEYS", "TOKENS")),
    *("DB_PSWD", "STRIPE_SK", "X_SK_1", "xPatProd", "x.pat.y", "MAILGUN_KEY", "API_KEY_PROD"),
]
"""One for each rule of the list."""
FORMS = [
    *(
        "{}=hunter2",
        "{} = hunter2",
        "{}%3Dhunter2",
        "{}\x1b[0m=hunter2",
        "{} => 'hunter2'",
        "export {}=hunter2",
    ),
    *(
        '"{}": "hunter2"',
        "'{}': 'hunter2'",
        "--{} hunter2",
        "srv.py\x1f3056\x1f--{}\x1fhunter2",
        "X-{}: hunter2",
    ),
    *(
        "GET /x?sv=1&{}=hunter2",
        "{}=hunter2;Server=db",
        "?sig=hunter2",
        "GET /cb?code=hunter2",
        "/a?x=1&signature=hunter2",
        "/a?x=1&X-Amz-Signature=hunter2",
    ),
    *(
        "{{ {}: 'hunter2' }}",
        "{{{}:'hunter2'}}",
        "\x1b[36m{}\x1b[0m: \x1b[32m'hunter2'",
        "{}: hunter2",
        "map[{}:hunter2 user:ada]",
        "<{0}>hunter2</{0}>",
        '{{"name": "{}", "value": "hunter2"}}',
        "ENV {} hunter2",
        "aws configure set {} hunter2",
        "aws\x1fconfigure\x1fset\x1f{}\x1fhunter2",
    ),
]


class TestTheLookBeforeThePatterns:
    @pytest.mark.parametrize("form", FORMS)
    def test_passes_no_secret_by(self, form: str) -> None:
        texts = [
            form.format(written) for name in NAMES for written in (name, name.lower(), name.replace("_", "-"))
        ]

        missed = [text for text in texts if without_secrets(text) != text and not may_hold_secrets(text)]

        assert missed == []


class TestALineThatCannotBeRead:
    @pytest.mark.parametrize(
        ("line", "shown"),
        [
            ("DB_PASSWORD: hunter2", "DB_PASSWORD ***"),
            ("DB_PASSWORD hunter2 x", "DB_PASSWORD ***"),
            ('password "hunter2"', "password ***"),
            ("API_KEY:hunter2", "API_KEY ***"),
            ('env = { DB_PSWD = "hunter2" "x" }', 'env = { DB_PSWD = "***" "x" }'),
            ("port: 8000", "port: 8000"),
            ("", ""),
        ],
    )
    def test_is_shown_without_what_follows_the_name_of_a_secret(self, line: str, shown: str) -> None:
        assert masked_line(line) == shown


class TestACommandLine:
    @settings(max_examples=300, deadline=None)
    @given(strategies.lists(TEXTS, max_size=6))
    def test_of_any_words_has_as_many_words_as_before(self, words: list[str]) -> None:
        assert len(masked_words(words)) == len(words)

    @pytest.mark.parametrize(
        ("words", "shown"),
        [
            (["mysql", "-uroot", "-phunter 2", "shop"], ["mysql", "-uroot", "-p***", "shop"]),
            (["serve", "--password", "hunter 2", "x"], ["serve", "--password", "***", "x"]),
            (["serve", "--password=hunter 2", "x"], ["serve", "--password=***", "x"]),
            (["redis-cli", "-a", "hunter 2", "ping"], ["redis-cli", "-a", "***", "ping"]),
            (["sh", "-c", "DB_PASS=hunter2 uvicorn app"], ["sh", "-c", "DB_PASS=*** uvicorn app"]),
            (["psql", "postgresql://u:hunter2@h"], ["psql", "postgresql://u:***@h"]),
            (["odd\x1fword", "--token=hunter2"], ["odd\x1fword", "--token=***"]),
        ],
    )
    def test_keeps_its_words_and_loses_its_secrets(self, words: list[str], shown: list[str]) -> None:
        assert masked_words(words) == shown


class TestAVariable:
    @pytest.mark.parametrize(
        ("name", "value", "shown"),
        [
            ("POSTGRES_PASSWORD", "geheim", "***"),
            ("DATABASE_URL", "postgresql://u:p@h/db", "postgresql://u:***@h/db"),
            ("CONNECTION", "Server=db;Pwd=p", "Server=db;Pwd=***"),
            ("BACKEND_PORT", "8001", "8001"),
            ("API_TOKEN", "", ""),
            ("CORS_ALLOW_CREDENTIALS", "true", "true"),
            ("PWD", "/home/ada", "/home/ada"),
        ],
    )
    def test_is_shown_unless_it_is_a_secret(self, name: str, value: str, shown: str) -> None:
        assert masked_value(name, value) == shown


class TestJson:
    def test_loses_its_secrets_wherever_they_stand(self) -> None:
        report = {
            "holders": [{"command": ["vite", "--token", "hunter2"], "directory": "/srv/token=1", "pid": 42}],
            "summary": "held by vite --token hunter2",
            "values": {"APP_KEY": "hunter2", "PORT": "8000"},
            "ready": True,
            "reason": None,
        }

        assert masked_data(report) == {
            "holders": [{"command": ["vite", "--token", "***"], "directory": "/srv/token=1", "pid": 42}],
            "summary": "held by vite --token ***",
            "values": {"APP_KEY": "***", "PORT": "8000"},
            "ready": True,
            "reason": None,
        }

    def test_that_is_compared_or_sent_is_left_as_it_is(self) -> None:
        holder = {"command": ["vite", "--token", "hunter2"]}

        masked_data(holder)

        assert holder == {"command": ["vite", "--token", "hunter2"]}
