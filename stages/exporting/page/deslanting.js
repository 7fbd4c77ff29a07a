// Deslanting of an image, as nn/deslanting.py does it, which has the formula.

const LEVELS = 255;
const MOST_SLOPE = 1;

// image: pixels in [0, 1], row by row; shape: [height, width]. Returns a new image.
function deslant(image, [height, width]) {
  let [ink, sumX, sumY, sumXY, sumYY] = [0, 0, 0, 0, 0];
  image.forEach((value, k) => {
    const level = roundHalfEven(value * LEVELS);
    const [y, x] = [Math.floor(k / width), k % width];
    ink += level;
    sumX += level * x;
    sumY += level * y;
    sumXY += level * x * y;
    sumYY += level * y * y;
  });
  ink = Math.max(ink, 1);
  const [meanX, meanY] = [sumX / ink, sumY / ink];
  const ratio = (sumXY - meanX * sumY) / Math.max(sumYY - meanY * sumY, 1);
  const slope = Math.min(Math.max(ratio, -MOST_SLOPE), MOST_SLOPE);
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  return image.map((_, k) => {
    const y = Math.floor(k / width) - middleY;
    const x = (k % width) + slope * y + meanX - middleX;
    return roundHalfEven(interpolated(image, height, width, y + meanY, x) * LEVELS) / LEVELS;
  });
}

// Bilinear interpolation; beyond the edges of the image there is background, 0.
function interpolated(image, height, width, y, x) {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const at = (row, column) =>
    row < 0 || row >= height || column < 0 || column >= width ? 0 : image[row * width + column];
  const along = (row) => at(row, left) + (x - left) * (at(row, left + 1) - at(row, left));
  return along(top) + (y - top) * (along(top + 1) - along(top));
}
