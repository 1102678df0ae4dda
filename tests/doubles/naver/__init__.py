"""A replica of the Naver pages that Nightjar reads, on loopback ports, driven by a seeded scenario.

URL shapes, ids, `ssc=` values, `data-*` attributes and Apollo field names follow what is known of the real site. Names,
texts, addresses, opaque tokens and everything that is marked "invented" are made up; nothing here is copied from it.
"""
