"""SQLAlchemy and nobody else's business."""
