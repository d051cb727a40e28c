"""The web page's server: what it takes, does with it in turn, and answers or refuses."""
