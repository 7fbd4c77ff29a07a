"""Sources of images: OpenML, mirrors of MNIST, and local files of several formats."""
