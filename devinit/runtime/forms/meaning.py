"""The server of the project that an address means: two of three criteria must agree. Pure.

The criteria are the place (a known port on this machine, or the name of a container), the scheme,
and the name of the variable.
"""

from __future__ import annotations

from devinit.runtime.forms.address import Address
from devinit.runtime.forms.known import Known, Servers

AGREEING = 2
OWN_ADDRESS = frozenset(
    {
        "NEXTAUTH_URL", "BETTER_AUTH_URL", "AUTH_URL", "APP_URL", "APP_ORIGIN", "SITE_URL", "NEXT_PUBLIC_APP_URL",
    }
)  # fmt: skip
"""Names under which a web application gets its own address."""
_WEB_VOCABULARY = frozenset(
    {
        "VITE", "NEXT", "PUBLIC", "NUXT", "REACT", "EXPO", "APP", "API", "BACKEND", "FRONTEND", "SERVER", "CLIENT",
        "WEB", "WEBAPP", "UI", "BASE", "URL", "URI", "HOST", "ORIGIN", "ENDPOINT", "INTERNAL", "ROOT", "HTTP",
        "WS", "WEBSOCKET", "SOCKET", "PROXY", "TARGET", "ADDRESS", "ADDR", "V1", "DEV", "LOCAL",
        "SERVICE",
    }
)  # fmt: skip
"""A name with any other word means something else: `PAYPAL_API_URL` is not the address of the project's API."""
_OTHER_PRODUCTS = frozenset(
    {
        "MYSQL", "MARIADB", "MONGO", "MONGODB", "SQLITE", "MILVUS", "QDRANT", "CHROMA", "CLICKHOUSE", "INFLUX",
        "INFLUXDB", "NEO4J", "COUCHDB", "ELASTIC", "ELASTICSEARCH", "CASSANDRA", "DYNAMODB", "ORACLE", "MSSQL",
        "SQLSERVER", "UPSTASH", "RABBITMQ", "AMQP", "KAFKA", "NATS", "MEMCACHED", "TYPESENSE", "WEAVIATE",
        "PINECONE", "SUPABASE", "SNOWFLAKE", "BIGQUERY", "LIBSQL", "TURSO", "VECTOR", "GRAPH", "OPENAI", "OLLAMA",
        "ANTHROPIC", "LLM", "VLLM", "MINIO", "S3", "AWS", "GCS", "KEYCLOAK", "AUTH0", "SENTRY", "MAILHOG",
        "MAILPIT", "MAILCATCHER", "SMTP", "OTEL", "OTLP", "JAEGER", "PROMETHEUS", "GRAFANA",
    }
)  # fmt: skip
"""Products for which devinit has no server: `MILVUS_DB_HOST` is no PostgreSQL, `OPENAI_BASE_URL` no backend."""


def meaning(name: str, address: Address, servers: Servers, service: str) -> tuple[Known | None, int]:
    """Return the server that an address means, and how many of the three criteria agree.

    `service`: the service that has the variable. The server is None if no criterion matches, or
    two servers match equally well.
    """
    votes = [(votes_for(each, name, address, servers, service), each) for each in servers.known]
    best = max(((sum(each), each) for each, _ in votes), default=(0, (0, 0, 0)))
    if best[0] == 0:
        return None, 0
    # The place of an address says more than the name of its variable.
    winners = [known for each, known in votes if (sum(each), each) == best]
    return (winners[0] if len(winners) == 1 else None), best[0]


def votes_for(
    known: Known, name: str, address: Address, servers: Servers, service: str
) -> tuple[int, int, int]:
    """Return 1 or 0 each for place, name and scheme; all 0 if the scheme belongs to another kind."""
    if address.scheme and address.scheme not in known.schemes:
        return 0, 0, 0
    is_there = address.host in known.hosts or (servers.is_near(address.host) and address.port in known.ports)
    is_named = is_name_of(known, name, service)
    if known.is_web and (not (is_there or is_named) or _OTHER_PRODUCTS & set(name.upper().split("_"))):
        return 0, 0, 0  # `http:` is the scheme of everything, and 8000 the port of many
    fits = bool(address.scheme) or is_called_by_kind(known, name)
    return int(is_there), int(is_named), int(fits)


def is_name_of(known: Known, name: str, service: str) -> bool:
    """Whether the name of a variable means this server."""
    upper = name.upper()
    words = set(upper.split("_"))
    if known.is_web:
        if upper in OWN_ADDRESS:
            return known.service == service
        names = {each for each in known.project_names - _OTHER_PRODUCTS if f"_{each}_" in f"_{upper}_"}
        own = {word for each in known.words | names for word in each.split("_")}
        return bool(known.words & _beginnings(upper)) and words <= _WEB_VOCABULARY | own
    return bool(known.words & (words | _beginnings(upper))) and not words & _OTHER_PRODUCTS


def is_called_by_kind(known: Known, name: str) -> bool:
    """Whether a name states the kind of server, as a scheme does: `POSTGRES_HOST`, but not `DB_HOST`."""
    return bool(known.kind_words & set(name.upper().split("_")))


def _beginnings(name: str) -> set[str]:
    """Return the words of a name, and every beginning of it that ends with a word: `MY_API` for `MY_API_URL`."""
    words = name.split("_")
    return {*words, *("_".join(words[:end]) for end in range(1, len(words) + 1))}
