"""Adapters to the outside, a folder each."""
