"""Letters kept for reading, sent to nobody."""
