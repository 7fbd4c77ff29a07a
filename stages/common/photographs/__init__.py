"""Photographs: their objects, placed as on training images, and when to doubt their class."""
