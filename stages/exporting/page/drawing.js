// The paper: strokes by mouse, pen, finger or keyboard, and the image that they become.

const paper = document.getElementById("paper");
const pen = paper.getContext("2d");
const redrawing = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
// Width of the pen on the paper, as a fraction of the shorter side; step of the arrow keys in pixels.
const PEN = 0.04;
const STEP = 7;
// The network gets the strokes redrawn at the size of MNIST's digits, with a pen as wide in
// proportion as that of MNIST's writers, so that neither large nor tiny writing changes its width.
const REDRAWN_PEN = 0.12; // fraction of the shorter side of the box
const LEAST_SIZE = 0.05; // a smaller drawing, such as a dot, is enlarged no more than one of this size

let strokes = []; // each a list of points, or {image} for an example
const pointers = new Map(); // the current stroke of each pointer that is down, by pointerId
let cursor = null; // {x, y, stroke} of the keyboard's pen; stroke is null while it is up

// Give the canvases the aspect ratio of the images.
function setUpPaper([height, width]) {
  for (const [canvas, longer] of [[paper, 280], [redrawing.canvas, 140]]) {
    canvas.width = Math.round((longer * width) / Math.max(width, height));
    canvas.height = Math.round((longer * height) / Math.max(width, height));
  }
}

function penWidth() {
  return Math.max(2, PEN * Math.min(paper.width, paper.height));
}

function paintPaper() {
  wipe(pen);
  if (strokes[0]?.image) {
    pen.imageSmoothingEnabled = false;
    pen.drawImage(canvasOfImage(strokes[0].image), 0, 0, paper.width, paper.height);
  } else {
    paintStrokes(pen, strokes, penWidth());
  }
  if (!cursor || document.activeElement !== paper) return;
  pen.strokeStyle = cursor.stroke ? "#2463eb" : "#777";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(cursor.x, cursor.y, penWidth(), 0, 2 * Math.PI);
  pen.stroke();
}

function wipe(context) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

function paintStrokes(context, lines, lineWidth) {
  Object.assign(context, { lineWidth, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  for (const line of lines) {
    context.beginPath();
    context.moveTo(line[0].x - 0.01, line[0].y); // a line without length would not be painted
    for (const point of line) context.lineTo(point.x, point.y);
    context.stroke();
  }
}

// The strokes, moved and scaled so that, with a pen of this width, they fill the box in a canvas of
// this size.
function fitted(lines, lineWidth, { width, height }) {
  const points = lines.flat();
  const ranges = [["x", width, paper.width], ["y", height, paper.height]].map(([axis, side, from]) => {
    const places = points.map((point) => point[axis]);
    const [low, high] = [Math.min(...places), Math.max(...places)];
    const size = Math.max(high - low, LEAST_SIZE * from);
    return { middle: (low + high) / 2, half: side / 2, factor: (BOX * side - lineWidth) / size };
  });
  const factor = Math.min(...ranges.map((range) => range.factor));
  const [x, y] = ranges.map(({ middle, half }) => (place) => half + (place - middle) * factor);
  return lines.map((line) => line.map((point) => ({ x: x(point.x), y: y(point.y) })));
}

// The input of the network: the prepared drawing, or null if there is none.
function prepared() {
  if (strokes.length === 0) return null;
  if (strokes[0].image) return strokes[0].image; // examples are already prepared
  const { width, height } = redrawing.canvas;
  const lineWidth = REDRAWN_PEN * BOX * Math.min(width, height);
  wipe(redrawing);
  paintStrokes(redrawing, fitted(strokes, lineWidth, redrawing.canvas), lineWidth);
  const { data } = redrawing.getImageData(0, 0, width, height);
  // Images that are no drawings are only resized, so the ground of the paper must be 0 already.
  const isResized = model.framing && !model.framing.drawings;
  const brightness = (_, k) => (isResized ? 1 - data[4 * k] / 255 : data[4 * k] / 255);
  const values = Array.from({ length: width * height }, brightness);
  return prepareImage({ height, width, values }, model.shape, model.deslanted, model.framing);
}

function pointOf(event) {
  const box = paper.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * paper.width) / box.width,
    y: ((event.clientY - box.top) * paper.height) / box.height,
  };
}

function begin(point) {
  if (strokes[0]?.image) strokes = []; // a new drawing replaces an example
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

function isDrawing() {
  return pointers.size > 0 || Boolean(cursor?.stroke);
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
paper.addEventListener("blur", () => updateSoon());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear();
});
document.getElementById("clear").addEventListener("click", clear);
document.getElementById("undo").addEventListener("click", () => replaceStrokes(strokes.slice(0, -1)));
