"""What the applications are told: the runtime environment, the files that carry it, and discovery files."""
