"""How sharp a photograph is, in a few numbers."""
