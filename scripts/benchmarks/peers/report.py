"""The comparison as a table, as JSON and as a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape

from measuring import median, number, with_spread

from peers.measures import Measure

BAR_WIDTH, ROW_HEIGHT, LABEL_WIDTH = 420, 18, 230
OURS = "devinit"


def table(measures: Sequence[Measure], peers: Sequence[str]) -> str:
    """Return one Markdown table a measure, the quickest peer first, each beside devinit's median."""
    parts = []
    for measure in measures:
        ours = measure.figures.get(OURS)
        lines = [f"### {measure.title}", "", "| peer | measured | devinit = 1 |", "|---|---|---|"]
        for peer in _ranked(measure, peers):
            figures = measure.figures.get(peer)
            if figures is None:
                lines.append(f"| {peer} | {measure.reasons.get(peer, 'does not do this')} | |")
                continue
            ratio = number(median(figures) / median(ours)) if ours and median(ours) > 0 else ""
            lines.append(f"| {peer} | {with_spread(figures, measure.unit)} | {ratio} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def as_json(
    measures: Sequence[Measure], versions: Mapping[str, str], missing: Mapping[str, str], about: str
) -> str:
    """Return everything that was measured, figure by figure."""
    return json.dumps(
        {
            "about": about,
            "versions": dict(versions),
            "missing": dict(missing),
            "measures": [measure._asdict() for measure in measures],
        },
        indent=1,
        ensure_ascii=False,
    )


def plot(measures: Sequence[Measure], peers: Sequence[str]) -> str:
    """Return an SVG picture: a group of bars a measure, on a logarithmic scale of its own."""
    y = 24.0
    parts: list[str] = []
    for measure in measures:
        rows = [peer for peer in _ranked(measure, peers) if measure.figures.get(peer)]
        if not rows:
            continue
        values = {peer: max(median(measure.figures[peer]), 1e-4) for peer in rows}
        low = min(values.values()) / 2
        span = math.log(max(values.values()) / low) or 1.0
        parts.append(f'<text x="8" y="{y:g}" class="title">{escape(measure.title)} ({measure.unit})</text>')
        for peer in rows:
            y += ROW_HEIGHT
            width = BAR_WIDTH * math.log(values[peer] / low) / span
            kind = "ours" if peer == OURS else "peer"
            parts.append(f'<text x="{LABEL_WIDTH - 8}" y="{y:g}" class="name">{escape(peer)}</text>')
            parts.append(
                f'<rect x="{LABEL_WIDTH}" y="{y - 11:g}" width="{width:.1f}" height="12" class="{kind}"/>'
            )
            parts.append(f'<text x="{LABEL_WIDTH + width + 6:.1f}" y="{y:g}">{number(values[peer])}</text>')
        y += ROW_HEIGHT * 2
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.name{text-anchor:end}"
        ".ours{fill:#0a7d5a}.peer{fill:#b0b8c0}"
    )
    width = LABEL_WIDTH + BAR_WIDTH + 80
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y:g}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _ranked(measure: Measure, peers: Sequence[str]) -> list[str]:
    return sorted(
        peers,
        key=lambda peer: median(measure.figures[peer]) if measure.figures.get(peer) else math.inf,
    )
