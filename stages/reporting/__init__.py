"""Tables and plots of the stage `evaluate`."""
