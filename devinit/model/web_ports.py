"""The default ports of web URLs. An origin must omit them, because browsers never send them."""

from __future__ import annotations

import re

WEB_PORTS = {"http": 80, "https": 443}
_WITH_PORT = re.compile(r"(?P<scheme>https?)(?P<rest>://[^/?#]{0,300}):(?P<port>\d{1,5})(?=[/?#]|\Z)")


def without_usual_port(url: str) -> str:
    """Return a URL in the form that browsers send: without the default port of its scheme."""
    found = _WITH_PORT.match(url)
    if found is None or WEB_PORTS[found["scheme"]] != int(found["port"]):
        return url
    return found["scheme"] + found["rest"] + url[found.end() :]
