"""Which port each service gets: candidates, policies, answers to conflicts, and the search over all services."""
