"""The services of a project together: configuration, ports, order, passwords."""
