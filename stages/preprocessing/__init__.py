"""Measurement of the images for the stage `preprocess`."""
