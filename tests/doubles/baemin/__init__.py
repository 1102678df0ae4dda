"""A replica of the Baemin owner site on loopback ports: login, owner pages, their JSON service, and a control port.

Addresses, form fields, class name stems, API paths and the words of the block screens follow what is known of the real
site. Shops, numbers, texts and everything that is marked "invented" are made up; nothing here is copied from it.
"""
