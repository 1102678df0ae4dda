"""What travels over the wire. Domain objects never do; each answer is made from one by `of`."""
