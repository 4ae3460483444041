"""Traces that the use of a database server leaves in a repository: packages, URLs, variables and settings."""

from __future__ import annotations

import re

from msgspec import Struct


class Traces(Struct, frozen=True):
    """Traces that the use of one server leaves in a repository."""

    packages: frozenset[str]
    """Dependencies with their language: `python:asyncpg`, `python:celery[redis]`."""
    url: re.Pattern[str]
    """Matches a URL in settings and source code."""
    variable: re.Pattern[str]
    """Matches a line of an env file."""
    setting: re.Pattern[str]
    """Matches a line in a configuration file of an application."""


def _packages(**names: str) -> frozenset[str]:
    """Return package names with their language; each argument is a list separated by spaces."""
    return frozenset(f"{language}:{name}" for language, text in names.items() for name in text.split())


POSTGRES = Traces(
    packages=_packages(
        python="asyncpg psycopg psycopg2 psycopg2-binary psycopg-binary pg8000 aiopg piccolo[postgres] "
        "sqlalchemy[postgresql] sqlalchemy[asyncpg] sqlalchemy[postgresql-asyncpg] sqlalchemy[postgresql-psycopg] "
        "tortoise-orm[asyncpg] databases[asyncpg] databases[postgresql]",
        node="pg postgres pg-promise pg-boss @vercel/postgres @prisma/adapter-pg",
        ruby="pg",
        elixir="postgrex",
        java="postgresql",
        dotnet="Npgsql Npgsql.EntityFrameworkCore.PostgreSQL",
        go="github.com/lib/pq github.com/jackc/pgx github.com/jackc/pgx/v4 github.com/jackc/pgx/v5 "
        "gorm.io/driver/postgres github.com/go-pg/pg github.com/uptrace/bun/driver/pgdriver",
        rust="tokio-postgres postgres deadpool-postgres sqlx[postgres] diesel[postgres] sea-orm[sqlx-postgres] "
        "diesel-async[postgres]",
    ),
    url=re.compile(r"\bpostgres(?:ql)?(?:\+\w{1,30})?://[^\s\"'`)]"),
    variable=re.compile(
        r"^[ \t]{0,40}(?:export[ \t]{1,10})?(?:(?:POSTGRES|PG)_?(?:HOST|PORT|USER|DB|SERVER)[ \t]{0,20}="
        r"[ \t]{0,20}\S|DB_CONNECTION[ \t]{0,20}=[ \t]{0,20}pgsql)",
        re.MULTILINE,
    ),
    setting=re.compile(
        r"^[ \t]{0,40}(?:provider[ \t]{0,20}=[ \t]{0,20}[\"'](?:postgresql|postgres)[\"']"
        r"|adapter:[ \t]{0,20}postgresql)",
        re.MULTILINE,
    ),
)
REDIS = Traces(
    packages=_packages(
        python="redis arq rq aioredis django-redis django-rq channels-redis taskiq-redis coredis valkey "
        "celery[redis] dramatiq[redis] kombu[redis] huey[redis] saq[redis]",
        node="redis ioredis bull bullmq bee-queue connect-redis koa-redis rate-limit-redis @redis/client "
        "@keyv/redis @socket.io/redis-adapter cache-manager-redis-store cache-manager-ioredis-yet iovalkey",
        ruby="redis sidekiq resque",
        elixir="redix",
        java="spring-boot-starter-data-redis jedis",
        dotnet="StackExchange.Redis Microsoft.Extensions.Caching.StackExchangeRedis",
        go="github.com/go-redis/redis github.com/go-redis/redis/v8 github.com/redis/go-redis "
        "github.com/redis/go-redis/v9 github.com/gomodule/redigo github.com/hibiken/asynq",
        rust="redis deadpool-redis fred",
    ),
    url=re.compile(r"\brediss?://[^\s\"'`)]"),
    variable=re.compile(
        r"^[ \t]{0,40}(?:export[ \t]{1,10})?REDIS_(?:URL|HOST|PORT)[ \t]{0,20}=[ \t]{0,20}(?![\"']?https?://)\S",
        re.MULTILINE,
    ),
    setting=re.compile(r"^[ \t]{0,40}adapter:[ \t]{0,20}redis\b", re.MULTILINE),
)
SQLITE = _packages(
    go="modernc.org/sqlite github.com/mattn/go-sqlite3 gorm.io/driver/sqlite github.com/glebarez/sqlite "
    "github.com/glebarez/go-sqlite zombiezen.com/go/sqlite",
    rust="rusqlite sqlx[sqlite] diesel[sqlite] sea-orm[sqlx-sqlite]",
    dotnet="Microsoft.EntityFrameworkCore.Sqlite",
)
"""Drivers of SQLite in languages that have to declare them."""
LARAVEL_REDIS = re.compile(
    r"^(?:CACHE_STORE|CACHE_DRIVER|QUEUE_CONNECTION|SESSION_DRIVER|BROADCAST_DRIVER|BROADCAST_CONNECTION)"
    r"[ \t]{0,10}=[ \t]{0,10}['\"]?redis\b",
    re.MULTILINE,
)
"""Matches a line by which Laravel uses Redis: REDIS_HOST proves nothing, as every Laravel .env has it."""
PROVIDED = {"postgres": POSTGRES, "redis": REDIS}
"""Kind of service → traces of its use."""

NOT_PROVIDED = {
    "MySQL": _packages(
        python="mysqlclient pymysql aiomysql asyncmy mysql-connector-python",
        node="mysql mysql2 mariadb",
        ruby="mysql2 trilogy",
        go="github.com/go-sql-driver/mysql gorm.io/driver/mysql",
        java="mysql-connector-j mysql-connector-java",
        rust="sqlx[mysql] diesel[mysql]",
        dotnet="Pomelo.EntityFrameworkCore.MySql",
        elixir="myxql",
    ),
    "MongoDB": _packages(
        python="pymongo motor beanie mongoengine odmantic",
        node="mongodb mongoose",
        ruby="mongoid",
        go="go.mongodb.org/mongo-driver go.mongodb.org/mongo-driver/v2",
        java="spring-boot-starter-data-mongodb",
        rust="mongodb",
        dotnet="MongoDB.Driver",
    ),
    "RabbitMQ": _packages(
        python="pika aio-pika",
        node="amqplib",
        ruby="bunny",
        go="github.com/rabbitmq/amqp091-go",
        java="spring-boot-starter-amqp",
        dotnet="RabbitMQ.Client",
        rust="lapin",
    ),
    "Kafka": _packages(
        python="confluent-kafka aiokafka kafka-python",
        node="kafkajs",
        java="spring-kafka",
        go="github.com/segmentio/kafka-go",
        dotnet="Confluent.Kafka",
        rust="rdkafka",
    ),
    "ClickHouse": _packages(
        python="clickhouse-driver",
        node="@clickhouse/client",
        go="github.com/ClickHouse/clickhouse-go/v2",
        elixir="ecto_ch ch",
    ),
    "SQL Server": _packages(
        python="pymssql mssql-django",
        node="mssql tedious",
        java="mssql-jdbc",
        dotnet="Microsoft.EntityFrameworkCore.SqlServer Microsoft.Data.SqlClient",
        go="github.com/microsoft/go-mssqldb gorm.io/driver/sqlserver",
    ),
    "Elasticsearch": _packages(python="elasticsearch opensearch-py", node="@elastic/elasticsearch"),
}
"""Server that devinit does not provide → packages that use it."""

ELSEWHERE = {
    "node:@neondatabase/serverless": "Neon",
    "node:@vercel/postgres": "Neon",
    "node:@planetscale/database": "PlanetScale",
    "node:@upstash/redis": "Upstash",
}
"""Driver that uses HTTP or WebSocket → the service that it needs instead of the plain database server."""
LOCAL_PROXY = re.compile(r"\b(?:wsProxy|fetchEndpoint)\b")
"""Matches code that connects such a driver to a proxy on this machine."""
