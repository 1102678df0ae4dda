"""The owner site of Baemin: three origins, for the login, the owner's pages and their JSON service."""
