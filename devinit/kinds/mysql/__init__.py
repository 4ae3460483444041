"""MySQL and MariaDB: what the kind is, and how it is run."""
