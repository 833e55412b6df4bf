"""People from an LDAP directory."""
