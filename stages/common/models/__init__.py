"""Models: their files, snapshots during training, and predictions."""
