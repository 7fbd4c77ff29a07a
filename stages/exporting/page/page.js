// The page: a canvas to draw on, the prediction, the hidden units and the examples.

const network = new Network(DATA.model);
const [height, width] = network.shape;
const paper = document.getElementById("paper");
// The canvas has the aspect ratio of the images and 280 pixels on its longer side.
paper.width = Math.round((280 * width) / Math.max(width, height));
paper.height = Math.round((280 * height) / Math.max(width, height));
const pen = paper.getContext("2d", { willReadFrequently: true });
const PEN_WIDTH = Math.max(2, Math.min(paper.width, paper.height) / 14);
const STEP = 7;

let strokes = []; // each a list of points, or {image} for an example
const pointers = new Map(); // the current stroke of each pointer that is down, by pointerId
let cursor = null; // {x, y, stroke} of the keyboard's pen; stroke is null while it is up

function draw() {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.lineWidth = PEN_WIDTH;
  pen.lineCap = "round";
  pen.lineJoin = "round";
  pen.strokeStyle = "#000";
  for (const stroke of strokes) {
    if (stroke.image) {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(canvasOf(stroke.image), 0, 0, paper.width, paper.height);
      continue;
    }
    pen.beginPath();
    pen.moveTo(stroke[0].x, stroke[0].y);
    for (const point of stroke) pen.lineTo(point.x, point.y);
    pen.stroke();
  }
}

// The input of the network: the prepared drawing, or null if there is none.
function prepared() {
  if (strokes.length === 0) return null;
  const last = strokes.at(-1);
  if (last.image && strokes.length === 1) return last.image; // examples are already prepared
  const box = pen.getImageData(0, 0, paper.width, paper.height);
  const { data } = box;
  const values = new Float64Array(box.width * box.height);
  for (let k = 0; k < values.length; k += 1) {
    values[k] = (0.299 * data[4 * k] + 0.587 * data[4 * k + 1] + 0.114 * data[4 * k + 2]) / 255;
  }
  return prepareImage({ height: box.height, width: box.width, values: Array.from(values) }, network.shape, network.deslanted);
}

function update() {
  draw();
  const image = prepared();
  show(image);
  if (cursor && document.activeElement === paper) {
    pen.strokeStyle = cursor.stroke ? "#2463eb" : "#999";
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(cursor.x, cursor.y, PEN_WIDTH / 2, 0, 2 * Math.PI);
    pen.stroke();
  }
}

function show(image) {
  paint(document.getElementById("seen"), image ?? new Float32Array(width * height));
  const verdict = document.getElementById("verdict");
  const rows = [...document.getElementById("bars").children];
  const tiles = [...document.getElementById("units").children];
  verdict.setAttribute("aria-live", pointers.size || cursor?.stroke ? "off" : "polite");
  if (!image) {
    verdict.textContent = "Draw something.";
    rows.forEach((row) => setBar(row, 0, false));
    tiles.forEach((tile) => { tile.style.opacity = 0.25; });
    return;
  }
  const probabilities = network.probabilities(image);
  const best = probabilities.indexOf(Math.max(...probabilities));
  verdict.textContent = `${network.classes[best]}, probability ${percent(probabilities[best])}`;
  rows.forEach((row, k) => setBar(row, probabilities[k], k === best));
  const activations = network.activations(image)[0];
  const greatest = Math.max(1e-9, ...activations.map(Math.abs));
  tiles.forEach((tile, k) => {
    tile.style.opacity = 0.12 + 0.88 * (Math.abs(activations[k]) / greatest);
  });
}

function setBar(row, probability, first) {
  row.classList.toggle("first", first);
  row.querySelector(".bar span").style.width = percent(probability);
  row.querySelector(".value").textContent = percent(probability);
}

function percent(value) {
  return `${(100 * value).toFixed(1)}%`;
}

// Draw an image in [0, 1] on a canvas of the same shape, black on white.
function paint(canvas, image) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  image.forEach((ink, k) => {
    const brightness = Math.round(255 * (1 - ink));
    pixels.data.set([brightness, brightness, brightness, 255], 4 * k);
  });
  context.putImageData(pixels, 0, 0);
}

function canvasOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  paint(canvas, image);
  return canvas;
}

// A canvas with the incoming weights of a unit of the first layer: positive red, negative blue.
function weightsOf(unit) {
  const { weights, inputs } = network.layers[0];
  const row = weights.subarray(unit * inputs, (unit + 1) * inputs);
  const greatest = Math.max(1e-9, row.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  row.forEach((weight, k) => {
    const strength = weight / greatest;
    const rest = Math.round(255 * (1 - Math.abs(strength)));
    pixels.data.set(strength > 0 ? [255, rest, rest, 255] : [rest, rest, 255, 255], 4 * k);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function pointOf(event) {
  const box = paper.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * paper.width) / box.width,
    y: ((event.clientY - box.top) * paper.height) / box.height,
  };
}

function begin(point) {
  if (strokes.some((stroke) => stroke.image)) strokes = []; // a new drawing replaces an example
  const stroke = [point, point];
  strokes.push(stroke);
  return stroke;
}

// Replace all strokes, and end those that are being drawn.
function replaceStrokes(others) {
  pointers.clear();
  if (cursor) cursor.stroke = null;
  strokes = others;
  update();
}

function clear() {
  cursor = null;
  replaceStrokes([]);
}

let waiting = false;
function updateSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; update(); });
}

paper.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  paper.setPointerCapture(event.pointerId);
  cursor = null;
  pointers.set(event.pointerId, begin(pointOf(event)));
  updateSoon();
});
paper.addEventListener("pointermove", (event) => {
  const stroke = pointers.get(event.pointerId);
  if (!stroke) return;
  const parts = event.getCoalescedEvents?.() ?? [];
  for (const part of parts.length ? parts : [event]) stroke.push(pointOf(part));
  updateSoon();
});
for (const end of ["pointerup", "pointercancel"]) {
  paper.addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    updateSoon();
  });
}
paper.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  cursor ??= { x: paper.width / 2, y: paper.height / 2, stroke: null };
  if (event.key === " ") {
    cursor.stroke = cursor.stroke ? null : begin({ x: cursor.x, y: cursor.y });
  } else if (moves[event.key]) {
    const [x, y] = moves[event.key];
    cursor.x = Math.min(Math.max(cursor.x + x * STEP, 0), paper.width);
    cursor.y = Math.min(Math.max(cursor.y + y * STEP, 0), paper.height);
    cursor.stroke?.push({ x: cursor.x, y: cursor.y });
  } else {
    return;
  }
  event.preventDefault();
  updateSoon();
});
paper.addEventListener("blur", updateSoon);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
});
document.getElementById("clear").addEventListener("click", clear);
document.getElementById("undo").addEventListener("click", () => replaceStrokes(strokes.slice(0, -1)));

Object.assign(document.getElementById("seen"), { width, height });
document.getElementById("sizes").textContent = [
  network.layers[0].inputs,
  ...network.layers.map((layer) => layer.units),
].join("-");
for (const name of network.classes) {
  const row = document.createElement("li");
  row.innerHTML = '<span class="name"></span><span class="bar"><span></span></span><span class="value"></span>';
  row.querySelector(".name").textContent = name;
  document.getElementById("bars").append(row);
}
for (let unit = 0; unit < Math.min(network.layers[0].units, DATA.most_units); unit += 1) {
  document.getElementById("units").append(weightsOf(unit));
}
const bytes = Uint8Array.from(atob(DATA.examples.images), (character) => character.charCodeAt(0));
DATA.examples.labels.forEach((label, k) => {
  const image = Float32Array.from(bytes.subarray(k * width * height, (k + 1) * width * height), (b) => b / 255);
  const probabilities = network.probabilities(image);
  const predicted = network.classes[probabilities.indexOf(Math.max(...probabilities))];
  const button = document.createElement("button");
  button.type = "button";
  button.title = predicted === label ? label : `${label}, predicted as ${predicted}`;
  button.setAttribute("aria-label", `Example: ${button.title}`);
  button.classList.toggle("wrong", predicted !== label);
  button.append(canvasOf(image));
  button.addEventListener("click", () => { cursor = null; replaceStrokes([{ image }]); });
  document.getElementById("thumbnails").append(button);
});
update();
