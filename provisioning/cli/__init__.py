"""The usher command: parse, call a service, print."""
