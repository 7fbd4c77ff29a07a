"""Photographs of `predict`: from a picture to inputs of the model, and when to doubt the answer."""
