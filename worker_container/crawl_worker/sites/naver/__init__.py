"""Naver: where a place, a blog post or a cafe article stands in a result list."""
