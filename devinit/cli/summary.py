"""What a start came to: the table on standard output, and the last words of what failed."""

from __future__ import annotations

import sys

from devinit.cli.output import Paint, duration, symbol, table, talk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devinit.control.client import Json

HEADER = ("", "SERVICE", "PORT", "PREFERRED", "TRIES", "READY", "URL")


def print_summary(summary: Json) -> None:
    """Print the table of a start, then why what failed has failed."""
    rows = [cells_of(row) for row in summary["services"]]
    paint = Paint(sys.stdout)
    head, *lines = table(rows, header=HEADER)
    sys.stdout.write("\n" + paint.dim(head) + "\n")
    for row, line in zip(summary["services"], lines, strict=True):
        colour = (
            paint.good if row["phase"] == "ready" else paint.bad if row["phase"] == "failed" else paint.dim
        )
        sys.stdout.write(colour(line[:1]) + line[1:] + "\n")
    sys.stdout.write("\n" + totals(summary) + "\n")
    sys.stdout.flush()
    explain(summary)


def cells_of(row: Json) -> tuple[str, ...]:
    """Return a service as the cells of its line."""
    marks = {"ready": symbol("✓", "+", sys.stdout), "failed": symbol("✗", "x", sys.stdout)}
    port, preferred = row["port"], row["preferred"]
    # What was passed over last may be a remembered port; what the developer knows is the preferred one.
    moved = "" if port == preferred or preferred is None else f"moved from {preferred}"
    ready = duration(row["ready_seconds"]) if row["ready_seconds"] is not None else ""
    running = row["phase"] in ("ready", "unhealthy")
    return (
        marks.get(row["phase"], symbol("·", ".", sys.stdout)),
        row["service"],
        str(port) if port is not None else "",
        moved or ("yes" if port is not None else ""),
        str(row["attempts"] or ""),
        ready if running else row["phase"],
        shown_url(row) if running else (row["reason"] or "").partition("\n")[0],
    )


def shown_url(row: Json) -> str:
    """Return a service's URL without the password that it may contain."""
    url = row["url"] or ""
    scheme, separator, rest = url.partition("://")
    credentials, at, address = rest.rpartition("@")
    if not at:
        return url
    return f"{scheme}{separator}{credentials.partition(':')[0]}:***@{address}"


def totals(summary: Json) -> str:
    """Return the last line: how many are up, and how long it took."""
    rows = summary["services"]
    ready = sum(row["phase"] in ("ready", "unhealthy", "exited") for row in rows)
    moved = sum(row["port"] != row["preferred"] for row in rows if row["preferred"] is not None)
    parts = [f"{ready} of {len(rows)} services ready in {duration(summary['seconds'])}"]
    if moved:
        parts.append(f"{moved} not on {'its' if moved == 1 else 'their'} preferred port")
    return ", ".join(parts)


def explain(summary: Json) -> None:
    """Say why services failed, with the last lines of their output."""
    paint = Paint(sys.stderr)
    for row in summary["services"]:
        if row["phase"] != "failed":
            continue
        sys.stderr.write(f"\n{paint.bad(row['service'] + ' failed:')} {row['reason']}\n")
        for line in row["log_tail"]:
            sys.stderr.write(f"  {paint.dim('|')} {line}\n")
    if summary["exit_code"]:
        talk(
            "\nwhat is up stays up: `devinit stop` ends it, `devinit why SERVICE` and `devinit logs` tell more"
        )
    else:
        talk("`devinit logs -f` follows the output, `devinit stop` ends everything")
