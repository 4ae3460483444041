"""Servers that devinit runs from their published images: one row each. Pure.

The values come from the documentation of each image. Those of a database apply only at its first start.
"""

from __future__ import annotations

from msgspec import Struct


class Server(Struct, frozen=True, kw_only=True):
    """A published image, with its configuration, probe and address. Braces are filled in: `{password}`."""

    title: str
    """The server's common name."""
    image: str
    port: int
    """The port on which it listens in its container."""
    url: str
    """Its URL, with `{host}`, `{port}`, `{password}` and `{database}`."""
    environment: dict[str, str] = {}
    command: str = ""
    """Arguments instead of the image's own."""
    data: str = ""
    """The folder in the container that has to outlive it; empty: none."""
    ready: str = ""
    """A command that succeeds in the container once it is ready; empty: it is ready when it listens there."""
    variables: dict[str, str] = {}
    """Variables by which applications look for it, beyond those of its service, with their values."""
    extra_ports: dict[str, int] = {}
    """Useful further ports, as of its web page."""


SERVERS = {
    "mysql": Server(
        title="MySQL",
        image="mysql:8.4",
        port=3306,
        url="mysql://app:{password}@{host}:{port}/{database}",
        environment={
            "MYSQL_ROOT_PASSWORD": "{password}",
            "MYSQL_USER": "app",
            "MYSQL_PASSWORD": "{password}",
            "MYSQL_DATABASE": "{database}",
        },
        data="/var/lib/mysql",
        # By TCP: at its first start the server is started twice, the first time without network.
        ready="mysqladmin ping -h 127.0.0.1 --silent",
        variables={"MYSQL_USER": "app", "MYSQL_PASSWORD": "{password}", "MYSQL_DATABASE": "{database}"},
    ),
    "mariadb": Server(
        title="MariaDB",
        image="mariadb:11",
        port=3306,
        url="mysql://app:{password}@{host}:{port}/{database}",
        environment={
            "MARIADB_ROOT_PASSWORD": "{password}",
            "MARIADB_USER": "app",
            "MARIADB_PASSWORD": "{password}",
            "MARIADB_DATABASE": "{database}",
        },
        data="/var/lib/mysql",
        ready="healthcheck.sh --connect --innodb_initialized",
        variables={"MYSQL_USER": "app", "MYSQL_PASSWORD": "{password}", "MYSQL_DATABASE": "{database}"},
    ),
    "mongodb": Server(
        title="MongoDB",
        image="mongo:8",
        port=27017,
        url="mongodb://app:{password}@{host}:{port}/{database}?authSource=admin",
        environment={"MONGO_INITDB_ROOT_USERNAME": "app", "MONGO_INITDB_ROOT_PASSWORD": "{password}"},
        data="/data/db",
        variables={"MONGODB_URI": "{url}", "MONGO_URL": "{url}"},
    ),
    "rabbitmq": Server(
        title="RabbitMQ",
        image="rabbitmq:4-management",
        port=5672,
        url="amqp://app:{password}@{host}:{port}/%2F",
        environment={"RABBITMQ_DEFAULT_USER": "app", "RABBITMQ_DEFAULT_PASS": "{password}"},
        data="/var/lib/rabbitmq",
        ready="rabbitmq-diagnostics -q check_port_connectivity",
        variables={"RABBITMQ_URL": "{url}", "AMQP_URL": "{url}"},
        extra_ports={"page": 15672},
    ),
    "memcached": Server(
        title="Memcached",
        image="memcached:1.6",
        port=11211,
        url="memcache://{host}:{port}",
        variables={"MEMCACHED_SERVERS": "{host}:{port}"},
    ),
    "mailpit": Server(
        title="Mailpit",
        image="axllent/mailpit",
        port=1025,
        url="smtp://{host}:{port}",
        environment={
            "MP_SMTP_AUTH_ACCEPT_ANY": "1",
            "MP_SMTP_AUTH_ALLOW_INSECURE": "1",
            "MP_DATABASE": "/data/mails.db",
        },
        data="/data",
        variables={"SMTP_HOST": "{host}", "SMTP_PORT": "{port}", "SMTP_URL": "{url}"},
        extra_ports={"page": 8025},
    ),
    "minio": Server(
        title="MinIO",
        image="quay.io/minio/minio",
        port=9000,
        url="http://{host}:{port}",
        command="server /data --console-address :9001",
        environment={"MINIO_ROOT_USER": "app", "MINIO_ROOT_PASSWORD": "{password}"},
        data="/data",
        variables={
            "AWS_ENDPOINT_URL_S3": "{url}",
            "AWS_ACCESS_KEY_ID": "app",
            "AWS_SECRET_ACCESS_KEY": "{password}",
            "S3_ENDPOINT": "{url}",
        },
        extra_ports={"page": 9001},
    ),
    "meilisearch": Server(
        title="Meilisearch",
        image="getmeili/meilisearch:v1",
        port=7700,
        url="http://{host}:{port}",
        environment={"MEILI_MASTER_KEY": "{password}", "MEILI_NO_ANALYTICS": "true"},
        data="/meili_data",
        variables={"MEILI_URL": "{url}", "MEILISEARCH_HOST": "{url}", "MEILI_MASTER_KEY": "{password}"},
    ),
    "opensearch": Server(
        title="OpenSearch",
        image="opensearchproject/opensearch:2",
        port=9200,
        url="http://{host}:{port}",
        environment={
            "discovery.type": "single-node",
            "DISABLE_SECURITY_PLUGIN": "true",
            "DISABLE_INSTALL_DEMO_CONFIG": "true",
            "OPENSEARCH_JAVA_OPTS": "-Xms512m -Xmx512m",
        },
        data="/usr/share/opensearch/data",
        ready="curl -sf 'http://127.0.0.1:9200/_cluster/health?wait_for_status=yellow&timeout=1s'",
        variables={"OPENSEARCH_URL": "{url}"},
    ),
    "nats": Server(
        title="NATS",
        image="nats:2",
        port=4222,
        url="nats://{host}:{port}",
        command="-js -sd /data -m 8222",
        data="/data",
        variables={"NATS_URL": "{url}"},
        extra_ports={"monitor": 8222},
    ),
    "clickhouse": Server(
        title="ClickHouse",
        image="clickhouse/clickhouse-server",
        port=8123,
        url="http://app:{password}@{host}:{port}/{database}",
        environment={
            "CLICKHOUSE_USER": "app",
            "CLICKHOUSE_PASSWORD": "{password}",
            "CLICKHOUSE_DB": "{database}",
        },
        data="/var/lib/clickhouse",
        variables={"CLICKHOUSE_URL": "{url}"},
    ),
}
"""Value of the key `server` → row."""
BY_TITLE = {each.title: name for name, each in SERVERS.items()}


def table_of(name: str) -> str:
    """Return the table of devinit.toml for a server: its head and its keys."""
    server = SERVERS[name]
    extra = ", ".join(f"{key} = {port}" for key, port in server.extra_ports.items())
    ports = f", extra_ports = {{ {extra} }}" if extra else ""
    return f'`[services.{name}]` with provider = "docker", server = "{name}", port = {server.port}{ports}'


def filled(text: str, values: dict[str, str]) -> str:
    """Return a text of a row with its braces filled in."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
