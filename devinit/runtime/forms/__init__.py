"""In which form a project gives a value to a name, and the same form with another address in it. Pure."""
