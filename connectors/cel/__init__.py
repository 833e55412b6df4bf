"""Mapping expressions in CEL."""
