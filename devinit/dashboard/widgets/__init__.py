"""The widgets of the screens: they receive values and post messages."""
