"""People from an LDIF export."""
