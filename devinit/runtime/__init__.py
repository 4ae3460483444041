"""What the applications are given: the runtime environment, the files that carry it, and discovery files."""
