"""What services print, from their logs to the rows on the screen; free of Textual."""
