"""Letters through a mail relay."""
