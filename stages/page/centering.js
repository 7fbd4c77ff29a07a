// From a drawing to an image as MNIST's were made; step by step what nn/centering.py does.

const BOX = 20 / 28;
const LEAST_CONTRAST = 0.12;
const LEAST_INK = 0.03;
const NOISE = 6.0;

// picture: {height, width, values} of brightness, 0 to 1; shape: [height, width] of the result.
// Returns its values of ink, row by row, or null if there is nothing on the picture.
function center(picture, shape) {
  const ink = inkOf(picture);
  if (ink === null) return null;
  const cropped = crop(ink);
  const boxes = shape.map((length) => Math.max(1, roundHalfEven(BOX * length)));
  const factor = Math.min(boxes[0] / cropped.height, boxes[1] / cropped.width);
  const height = Math.max(1, roundHalfEven(cropped.height * factor));
  const width = Math.max(1, roundHalfEven(cropped.width * factor));
  const small = scale(cropped, height, width);
  const greatest = Math.max(1e-9, small.values.reduce((a, b) => Math.max(a, b), 0));
  small.values = small.values.map((value) => value / greatest);
  return laidIntoTheMiddle(small, shape);
}

function inkOf({ height, width, values }) {
  const border = [];
  for (let x = 0; x < width; x += 1) border.push(values[x], values[(height - 1) * width + x]);
  for (let y = 1; y < height - 1; y += 1) {
    border.push(values[y * width], values[y * width + width - 1]);
  }
  const background = median(border);
  let difference = values.map((value) => value - background);
  const extreme = (list, pick) => list.reduce((a, b) => pick(a, b), 0);
  if (-extreme(difference, Math.min) > extreme(difference, Math.max)) {
    difference = difference.map((value) => -value);
  }
  const strongest = extreme(difference, Math.max);
  if (strongest < LEAST_CONTRAST) return null;
  const noise = 1.4826 * median(border.map((value) => Math.abs(value - background)));
  const least = Math.max(NOISE * noise, LEAST_INK * strongest);
  const ink = difference.map((value) => (value < least ? 0 : value / strongest));
  return ink.some((value) => value > 0) ? { height, width, values: ink } : null;
}

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

// For each of `to` pixels the weights of the `of` pixels that it is the mean of.
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

function laidIntoTheMiddle({ height, width, values }, shape) {
  let [total, alongY, alongX] = [0, 0, 0];
  values.forEach((value, k) => {
    total += value;
    alongY += value * Math.floor(k / width);
    alongX += value * (k % width);
  });
  const start = (centre, length, side) =>
    Math.min(Math.max(Math.floor(side / 2 - centre + 0.5), 0), side - length);
  const top = start(alongY / total, height, shape[0]);
  const left = start(alongX / total, width, shape[1]);
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

// As Python rounds, so that both make the same image.
function roundHalfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
