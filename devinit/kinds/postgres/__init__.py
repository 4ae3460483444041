"""A PostgreSQL server for each checkout, with an installed PostgreSQL or the embedded wheel."""
