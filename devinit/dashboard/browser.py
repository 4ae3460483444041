"""Whether there is a browser for what the dashboard opens: over ssh and in a container there is none."""

from __future__ import annotations

import webbrowser


def has_browser() -> bool:
    """Whether the system knows a program that shows a page."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
