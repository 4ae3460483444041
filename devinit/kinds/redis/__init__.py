"""A Redis or Valkey server for each checkout, with an installed program or the embedded wheel."""
