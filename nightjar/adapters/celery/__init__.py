"""Celery, configured once for workers, Beat and Flower. No function imports it."""
