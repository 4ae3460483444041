"""What an image is: a server that devinit runs, another server, or a program that no native run needs. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

_POSTGRES = re.compile(r"postgres(?:ql)?|postgis|pgvector|timescaledb(?:-ha)?|alloydbomni|pgautoupgrade")
_REDIS = re.compile(r"redis(?:-stack(?:-server)?)?|valkey|keydb|dragonfly")
_NAMED = {
    "mysql": "MySQL", "mysql-server": "MySQL", "percona": "MySQL", "mariadb": "MariaDB", "mongo": "MongoDB",
    "mongodb": "MongoDB", "rabbitmq": "RabbitMQ", "elasticsearch": "Elasticsearch", "opensearch": "OpenSearch",
    "kafka": "Kafka", "cp-kafka": "Kafka", "redpanda": "Redpanda", "zookeeper": "ZooKeeper",
    "memcached": "Memcached", "minio": "MinIO", "mailpit": "Mailpit", "mailhog": "MailHog",
    "maildev": "MailDev", "meilisearch": "Meilisearch", "typesense": "Typesense", "qdrant": "Qdrant",
    "chroma": "Chroma", "weaviate": "Weaviate", "milvus": "Milvus", "clickhouse": "ClickHouse",
    "clickhouse-server": "ClickHouse", "influxdb": "InfluxDB", "nats": "NATS", "eclipse-mosquitto": "Mosquitto",
    "localstack": "LocalStack", "keycloak": "Keycloak", "ollama": "Ollama", "cassandra": "Cassandra",
    "neo4j": "Neo4j", "cockroach": "CockroachDB", "solr": "Solr", "consul": "Consul", "vault": "Vault",
    "couchdb": "CouchDB", "mssql": "SQL Server", "azure-sql-edge": "SQL Server",
    "pgbouncer": "PgBouncer", "temporal": "Temporal",
}  # fmt: skip
"""Image → what people call the server in it."""
_DATABASES = frozenset(
    {"MySQL", "MariaDB", "MongoDB", "Cassandra", "Neo4j", "CockroachDB", "CouchDB", "ClickHouse", "PgBouncer"}
    | {"SQL Server"}
)
_PROXIES = frozenset(
    {
        "nginx",
        "nginx-unprivileged",
        "openresty",
        "traefik",
        "caddy",
        "haproxy",
        "envoy",
        "httpd",
        "nginx-proxy",
    }
    | {"nginx-proxy-manager", "swag", "cloudflared", "certbot", "acme-companion"}
)
_TOOLS = frozenset(
    {"adminer", "pgadmin4", "pgadmin", "phpmyadmin", "redis-commander", "redisinsight", "mongo-express"}
    | {"portainer", "portainer-ce", "watchtower", "kafka-ui", "dozzle", "pgweb", "prometheus", "grafana"}
    | {"flower", "node-exporter", "postgres-exporter", "redis_exporter", "cadvisor", "autoheal"}
)


class Image(Struct, frozen=True, kw_only=True):
    """What the name of an image says."""

    kind: str = ""
    """The kind of service that devinit runs in its place; empty for none."""
    title: str = ""
    """What people call it."""
    is_database: bool = False
    """A database that devinit does not run."""
    is_proxy: bool = False
    """A web server before the others."""
    is_tool: bool = False
    """What people look at the others with."""


def image_of(name: str) -> Image:
    """Return what the name of an image says; its registry, its owner and its version do not count."""
    whole = name.partition("@")[0].lower()
    plain = whole.rpartition("/")[2].partition(":")[0]
    if "mssql/" in whole:
        plain = "mssql"
    if _POSTGRES.fullmatch(plain):
        return Image(kind="postgres", title="PostgreSQL")
    if _REDIS.fullmatch(plain):
        return Image(kind="redis", title="Redis")
    if plain in _PROXIES or plain in _TOOLS:
        return Image(title=plain, is_proxy=plain in _PROXIES, is_tool=plain in _TOOLS)
    title = _NAMED.get(plain, "")
    return Image(title=title, is_database=title in _DATABASES)
