"""Web sites on loopback ports with known truth, for the site crawl engine, and the traps that crawlers meet.

All names, texts and numbers are invented.
"""
