// Images and weights as canvases.

// A canvas with one pixel for each value; colour(value) is [red, green, blue].
function canvasOf(values, [height, width], colour, canvas = document.createElement("canvas")) {
  Object.assign(canvas, { height, width });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  values.forEach((value, k) => pixels.data.set([...colour(value), 255], 4 * k));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// An image with values in [0, 1], black on white.
function canvasOfImage(image, canvas) {
  const grey = (ink) => new Array(3).fill(Math.round(255 * (1 - ink)));
  return canvasOf(image, model.shape, grey, canvas);
}

// The weights of a unit of the first layer: positive red, negative blue, 0 white.
function canvasOfWeights(unit, canvas) {
  const weights = network.weightsTo(unit);
  const greatest = Math.max(1e-9, weights.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
  const colour = (weight) => {
    const rest = Math.round(255 * (1 - Math.abs(weight) / greatest));
    return weight > 0 ? [255, rest, rest] : [rest, rest, 255];
  };
  return canvasOf(weights, model.shape, colour, canvas);
}
