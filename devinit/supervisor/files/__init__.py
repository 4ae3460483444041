"""Files of services that the supervisor watches and reads."""
