"""The processes of a service: finding, limiting and ending them."""
