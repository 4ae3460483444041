"""Find a Celery broker other than Redis in settings and env files."""

from __future__ import annotations

import re

from devinit.model.evidence import Evidence
from devinit.sources.applications.tree import Tree, joined, upwards

_STATED = re.compile(
    r"^[^\n#]{0,100}?broker\w{0,20}[\"']?[^\n]{0,80}?(?P<scheme>amqps?|pyamqp|redis|rediss|sqs|kafka)://",
    re.MULTILINE | re.IGNORECASE,
)
"""Matches a line that sets the address of a broker, or a default for it."""
_ENV_FILES = (".env", ".env.local", ".env.example", ".env.sample", ".env.template")
_TITLES = {
    "amqp": "RabbitMQ",
    "amqps": "RabbitMQ",
    "pyamqp": "RabbitMQ",
    "sqs": "Amazon SQS",
    "kafka": "Kafka",
}


def other_broker(tree: Tree, folder: str) -> tuple[str, Evidence] | None:
    """Return the broker of the workers in a folder if devinit does not run it, with the line that names it.

    An env file has priority over the code, whose address is only a default.
    """
    files = [joined(each, name) for each in upwards(folder) for name in _ENV_FILES if tree.has(each, name)]
    for file in (*files, *tree.sources(folder, ".py")):
        if found := _STATED.search(tree.text(file)):
            title = _TITLES.get(found["scheme"].lower())
            return (title, tree.seen("command", file, found.start("scheme"))) if title else None
    return None
