"""One file of tables per aggregate."""
