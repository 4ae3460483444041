"""A PostgreSQL server for each checkout, from whatever PostgreSQL the machine has or the embedded wheel."""
