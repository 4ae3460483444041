"""Where everything answers, as a table for a README."""

from __future__ import annotations

from devinit.exporters.exporter import Export, Exporter, File
from devinit.model.resolved import Reader, Resolved


def render(resolved: Resolved) -> Export:
    """Return one file with a row for each port."""
    rows = [
        f"| {port.name} | {port.url or port.number} |\n"
        for service in resolved.services
        for port in (service.port, *service.extra_ports)
        if port is not None
    ]
    text = "".join(("| service | where |\n", "|---|---|\n", *rows))
    return Export(files=(File(path="ADDRESSES.md", text=text, comment=("<!-- ", " -->")),))


ADDRESSES = Exporter(name="addresses", reader=Reader.MACHINE, path="ADDRESSES.md", render=render)
