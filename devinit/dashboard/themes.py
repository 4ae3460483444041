"""The dark and the light theme as Textual themes, and the themes of the user."""

from __future__ import annotations

from textual.theme import Theme

from devinit.dashboard import colours
from devinit.dashboard.preferences import PALETTE, OwnTheme


def built(name: str, all_colours: dict[str, str], further: dict[str, str], *, dark: bool) -> Theme:
    """Return a theme. `further`: variables of Textual's own widgets."""
    palette = {name: all_colours[name] for name in PALETTE}
    others = {name: colour for name, colour in all_colours.items() if name not in PALETTE}
    return Theme(name=name, dark=dark, variables=others | further, **palette)  # type: ignore[arg-type]  # they are colours


DARK = built(
    colours.DARK_NAME,
    colours.DARK,
    {
        "footer-background": "#161c26",
        "footer-key-foreground": "#7cb7ff",
        "footer-description-foreground": "#9aa7b8",
        "input-selection-background": "#7cb7ff 30%",
        "screen-selection-background": "#7cb7ff 30%",
    },
    dark=True,
)
LIGHT = built(
    colours.LIGHT_NAME,
    colours.LIGHT,
    {
        "footer-background": "#f1f2f0",
        "footer-key-foreground": "#1f5fbf",
        "footer-description-foreground": "#566272",
        "input-selection-background": "#1f5fbf 25%",
        "screen-selection-background": "#1f5fbf 25%",
    },
    dark=False,
)


def own(theme: OwnTheme) -> Theme:
    """Return a theme of the user, which is one of ours with some colours changed."""
    base, all_colours = (LIGHT, colours.LIGHT) if theme.base == "light" else (DARK, colours.DARK)
    of_textual = {name: colour for name, colour in base.variables.items() if name not in all_colours}
    return built(theme.name, all_colours | theme.colours, of_textual, dark=base.dark)
