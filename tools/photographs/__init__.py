"""Photographs of `predict`: inputs of the model, and pictures of what it saw."""
