"""Redis as the broker: what Celery's workers read, written and counted without loading Celery."""
