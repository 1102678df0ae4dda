"""One module for each kind of page; each turns a request and the state of the replica into a reply."""
