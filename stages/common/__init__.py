"""Code that several stages share: command line, artifacts, data sets, models, plots, progress."""
