"""What changed in a directory since a mark, way by way."""
