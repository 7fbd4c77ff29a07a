"""Data sets of one's own, out of local files: `forms` tells which of the others reads them."""
