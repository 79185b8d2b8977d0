"""What leaves the system over the network, and what comes in: the REST API, the change feed, the dictionary."""
