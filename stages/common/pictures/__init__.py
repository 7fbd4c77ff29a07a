"""Arrays of many small images, and of the weights of hidden units."""
