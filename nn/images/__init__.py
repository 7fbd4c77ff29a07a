"""Images: pixels, their place, and deslanted copies of them.

- `info`           what is known of the images of a data set
- `pixels`         scaling of raw pixels to [0, 1], border of images
- `framing`        position and size of the objects on images
- `deslanting`     a shear that makes the strokes of a digit upright
- `interpolation`  images at other positions
"""
