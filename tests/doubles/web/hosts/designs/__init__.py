"""Page designs, Korean and English, each a function of its own."""
