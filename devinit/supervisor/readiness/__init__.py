"""Whether a service is ready and well: probes, the wait for them, and checks later on."""
