"""Files that stages exchange: written as a whole, and checked when they are read."""
