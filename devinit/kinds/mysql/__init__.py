"""The kind `mysql`: MySQL and MariaDB, their configuration and how they run."""
