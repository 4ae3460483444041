"""Files of services that the supervisor watches, reads or creates."""
