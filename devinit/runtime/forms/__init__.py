"""The form in which a project writes the value of a variable, and the same form with another address. Pure."""
