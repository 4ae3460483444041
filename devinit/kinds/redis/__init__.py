"""A Redis or Valkey server for each checkout, from what the machine has or the embedded wheel."""
