"""Detection of a browser for the pages that the dashboard opens: over ssh and in a container there is none."""

from __future__ import annotations

import webbrowser


def has_browser() -> bool:
    """Whether the system has a program that shows web pages."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
