"""The employees' pages."""
