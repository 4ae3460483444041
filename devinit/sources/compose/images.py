"""The classification of images: servers that devinit runs, other servers, programs of no native use. Pure."""

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
"""Image → the usual name of its server."""
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
    """The classification of an image by its name."""

    kind: str = ""
    """The kind of service that devinit runs instead; empty for none."""
    title: str = ""
    """The usual name of the server."""
    is_database: bool = False
    """Whether it is a database that devinit does not run."""
    is_proxy: bool = False
    """Whether it is a web server in front of the others."""
    is_tool: bool = False
    """Whether it is a tool to inspect or monitor the others."""


def image_of(name: str) -> Image:
    """Return the classification of an image by its name, without its registry, owner and version."""
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
