"""Files that tell an application where a service answers: `.backend-port.json`."""
