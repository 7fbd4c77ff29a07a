// Preparation of a drawing in the way in which MNIST's images were made; the same steps as in
// stages/common/photographs/image_preparation.py and ink.py, which explain them and the constants; there, the
// background of a photograph may also be local.

const BOX = 20 / 28;
const LEAST_CONTRAST = 0.12;
const LEAST_INK = 0.03;
const NOISE = 6.0;
const FITS = 6;
const RIDGE = 1e-9;
const OUTLIER = 3.0;
const LEAST_OUTLIER = 0.02;

// picture: {height, width, values} with brightness in [0, 1]; shape: [height, width] of the result.
// deslanted: whether to deslant the result; framing: place and size of the digit in it, or null for
// MNIST's proportions. Returns the pixels in [0, 1], row by row, 0 for
// background, or null if the picture is blank.
function prepareImage(picture, shape, deslanted, framing) {
  if (framing && !framing.drawings) return Float32Array.from(scale(picture, ...shape).values);
  const ink = inkOf(picture);
  if (ink === null) return null;
  const cropped = crop(ink);
  // MNIST's centres are half a pixel right of and below the middle of an even side.
  const { box: boxes, centre, peak } = framing || {
    box: shape.map((length) => Math.max(1, roundHalfEven(BOX * length))),
    centre: shape.map((length) => length / 2),
    peak: 1,
  };
  const factor = Math.min(boxes[0] / cropped.height, boxes[1] / cropped.width);
  const height = Math.max(1, roundHalfEven(cropped.height * factor));
  const width = Math.max(1, roundHalfEven(cropped.width * factor));
  const small = scale(cropped, height, width);
  const greatest = Math.max(1e-9, small.values.reduce((a, b) => Math.max(a, b), 0));
  small.values = small.values.map((value) => (value * peak) / greatest);
  const image = centered(small, shape, centre);
  return deslanted ? deslant(image, shape) : image;
}

// Difference from the background, scaled to [0, 1]; noise is set to 0. null if the picture is blank.
function inkOf(picture) {
  const { height, width, values } = picture;
  const { background, noise } = backgroundOf(picture);
  let difference = values.map((value, k) => value - background(Math.floor(k / width), k % width));
  const extreme = (list, pick) => list.reduce((a, b) => pick(a, b), 0);
  if (-extreme(difference, Math.min) > extreme(difference, Math.max)) {
    difference = difference.map((value) => -value);
  }
  const strongest = extreme(difference, Math.max);
  if (strongest < LEAST_CONTRAST) return null;
  const least = Math.max(NOISE * noise, LEAST_INK * strongest);
  const ink = difference.map((value) => (value < least ? 0 : value / strongest));
  return ink.some((value) => value > 0) ? { height, width, values: ink } : null;
}

// A plane fitted to the border without outliers, and the standard deviation from it.
function backgroundOf({ height, width, values }) {
  const border = [];
  for (let y = 0; y < height; y += 1) {
    const inside = y > 0 && y < height - 1;
    for (let x = 0; x < width; x += inside && width > 1 ? width - 1 : 1) {
      border.push({ place: [1, y / height - 0.5, x / width - 0.5], value: values[y * width + x] });
    }
  }
  let fit = [median(border.map(({ value }) => value)), 0, 0];
  const at = (place) => fit[0] * place[0] + fit[1] * place[1] + fit[2] * place[2];
  let noise = 0;
  for (let round = 0; round < FITS; round += 1) {
    const distance = ({ place, value }) => Math.abs(value - at(place));
    noise = 1.4826 * median(border.map(distance));
    const kept = border.filter((pixel) => distance(pixel) <= Math.max(OUTLIER * noise, LEAST_OUTLIER));
    const sum = (term) => kept.reduce((total, pixel) => total + term(pixel), 0);
    const matrix = [0, 1, 2].map((i) =>
      [0, 1, 2].map((j) => sum(({ place }) => place[i] * place[j]) + (i === j ? RIDGE : 0)),
    );
    fit = solve(matrix, [0, 1, 2].map((i) => sum(({ place, value }) => place[i] * value)));
  }
  const [base, down, right] = fit;
  const background = (y, x) => base + down * (y / height - 0.5) + right * (x / width - 0.5);
  return { background, noise };
}

// Solve three linear equations with Cramer's rule.
function solve(matrix, right) {
  const determinant = ([a, b, c]) =>
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) +
    a[2] * (b[0] * c[1] - b[1] * c[0]);
  const whole = determinant(matrix);
  return [0, 1, 2].map((column) => {
    const replaced = matrix.map((row, i) => row.map((value, j) => (j === column ? right[i] : value)));
    return determinant(replaced) / whole;
  });
}

// Crop an image to the bounding box of its nonzero pixels.
function crop({ height, width, values }) {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (values[y * width + x] > 0) {
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
        left = Math.min(left, x);
        right = Math.max(right, x);
      }
    }
  }
  const found = { height: bottom - top + 1, width: right - left + 1, values: [] };
  for (let y = top; y <= bottom; y += 1) {
    for (let x = left; x <= right; x += 1) found.values.push(values[y * width + x]);
  }
  return found;
}

// Matrix (to, of) that scales a line of pixels; each row is a triangular filter of sum 1.
function scaling(to, of) {
  const ratio = of / to;
  return Array.from({ length: to }, (_, row) => {
    const place = (row + 0.5) * ratio - 0.5;
    const weights = Array.from({ length: of }, (__, k) =>
      Math.max(0, 1 - Math.abs(k - place) / Math.max(ratio, 1)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });
}

function scale(image, height, width) {
  const rows = scaling(height, image.height);
  const columns = scaling(width, image.width);
  const values = [];
  for (let y = 0; y < height; y += 1) {
    const line = new Float64Array(image.width);
    rows[y].forEach((weight, k) => {
      if (weight > 0) {
        for (let x = 0; x < image.width; x += 1) line[x] += weight * image.values[k * image.width + x];
      }
    });
    for (let x = 0; x < width; x += 1) {
      values.push(columns[x].reduce((sum, weight, k) => sum + weight * line[k], 0));
    }
  }
  return { height, width, values };
}

// Place the digit in an image with its centre of mass near a row and a column.
function centered({ height, width, values }, shape, centre) {
  let [total, alongY, alongX] = [0, 0, 0];
  values.forEach((value, k) => {
    total += value;
    alongY += value * Math.floor(k / width);
    alongX += value * (k % width);
  });
  const start = (found, axis, length) =>
    Math.min(Math.max(Math.floor(centre[axis] - found + 0.5), 0), shape[axis] - length);
  const top = start(alongY / total, 0, height);
  const left = start(alongX / total, 1, width);
  const image = new Float32Array(shape[0] * shape[1]);
  values.forEach((value, k) => {
    image[(top + Math.floor(k / width)) * shape[1] + left + (k % width)] = value;
  });
  return image;
}

function median(list) {
  const sorted = Array.from(list).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Round half to even, as Python does, so that both give the same image.
function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
