"""Textual on a screen that shows the dashboard's first picture already: it is painted over, and never blank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

from devinit.system.alternate_screen import ENTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinit.system.alternate_screen import Attributes


def continuing(give_away: Callable[[], Attributes | None]) -> type[LinuxDriver]:
    """Return the driver. `give_away` is called when it takes the terminal, and returns how that was before.

    None: there is no picture, or no more.
    """

    class Continuing(LinuxDriver):
        """Textual's own driver, which does not enter the other screen when it is there already."""

        _is_entered = False

        def start_application_mode(self) -> None:
            """Take the terminal."""
            before = give_away()
            self._is_entered = before is not None
            super().start_application_mode()  # type: ignore[no-untyped-call]  # it has no types
            if before is not None:
                self.attrs_before = before

        def write(self, data: str) -> None:
            """Write to the terminal."""
            if self._is_entered and data == ENTER:
                self._is_entered = False  # some terminals would wipe it
                return
            super().write(data)

    return Continuing
