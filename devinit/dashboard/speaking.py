"""What the dashboard says for a few seconds: each thing once at a time, and no text as markup."""

from __future__ import annotations

from textual.app import App
from textual.driver import Driver
from textual.notifications import SeverityLevel

from devinit.dashboard.state import LinkState
from devinit.errors import DevinitError, SupervisorError
from devinit.text import plain


class SpeakingApp(App[str]):
    """A program that says what happens. What it returns is said on the shell afterwards."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self.line = LinkState.SOUGHT
        """The line to the supervisor."""
        self._missed_supervisor = False
        """Whether it was said that the supervisor is gone, or could not be asked."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something for a few seconds, once at a time. No text is markup, whatever a caller or widget says."""
        del markup
        self._missed_supervisor |= severity == "error" and self.line is LinkState.CUT
        message, title = plain(message), plain(title)
        if all((shown.message, shown.title) != (message, title) for shown in self._notifications):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def say(self, text: str, *, title: str = "", seconds: float) -> None:
        """Say something for some seconds."""
        self.notify(text, title=title, timeout=seconds)

    def complain(self, error: DevinitError) -> None:
        """Say what went wrong and what to do next."""
        self._missed_supervisor |= isinstance(error, SupervisorError)
        self.notify(error.hint or "", title=error.message, severity="error", timeout=10)

    def forget_absence(self) -> None:
        """Take away what was said about the absence of the supervisor: it is back."""
        if self._missed_supervisor:
            self._missed_supervisor = False
            self.clear_notifications()
