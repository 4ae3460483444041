"""Services whose port or login is fixed by a constant in the code of the repository."""
