"""Reading ranks from the replica of Naver, over real HTTP and in a real Chromium."""
