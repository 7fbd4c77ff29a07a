"""Sources of images: OpenML, a mirror of MNIST, and local files of several formats."""
