"""The services' output, from their logs to the rows on the screen; independent of Textual."""
