"""The background process of a project: starts services in order, keeps them up, and stops them."""
