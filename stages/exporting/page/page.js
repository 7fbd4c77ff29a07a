// The page: one network, one drawing and one selection, and everything that shows them.

const { model } = DATA;
const stages = DATA.training.map(({ networks }) => new Network(model, networks));
let network = stages.at(-1);
const hasHiddenUnits = network.layers.length > 1;
let selection = null; // {unit}, {digit} or null
const digitsOnly = model.classes.every((name) => /^\d$/.test(name));

function update() {
  paintPaper();
  const image = prepared();
  const first = image && network.firstActivations(image);
  canvasOfImage(image ?? new Float32Array(model.shape[0] * model.shape[1]), document.getElementById("seen"));
  showPrediction(image && network.scores(image), strokes[0]?.label);
  showActivations(first, selection?.unit);
  explain(selection, first);
  markExample(examples, strokes[0]?.image);
}

let waiting = false;
function updateSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; update(); });
}

// Explain a unit or a class; a network without hidden layers has nothing to explain.
function select(chosen) {
  if (!hasHiddenUnits) return;
  const isInside = explanation.contains(document.activeElement);
  selection = chosen;
  update();
  if (!chosen) return;
  explanation.scrollIntoView({ block: "nearest" });
  if (isInside) explanation.querySelector("h2").focus(); // the element that had it is no more
}

// What to draw: a digit, one of a few classes, or one of many.
const names = new Intl.ListFormat("en", { type: "disjunction" }).format(model.classes);
const title = digitsOnly ? "a digit" : model.classes.length <= 5 ? names : `one of ${model.classes.length} classes`;
document.title = document.querySelector("h1").textContent = `Draw ${title}`;
document.getElementById("limits").textContent =
  `It knows ${digitsOnly ? "digits" : "these classes"} only, and takes any other drawing, such as ` +
  `${digitsOnly ? "a house" : "a scribble"}, for one of them, often with a high probability.`;
document.body.style.setProperty("--aspect", model.shape[1] / model.shape[0]);
setUpPaper(model.shape);
setUpBars(model.classes);
for (const part of [document.querySelector(".hidden"), document.getElementById("choose")]) {
  part.hidden = !hasHiddenUnits;
}
document.getElementById("first-member").hidden = network.others.length === 0;
setUpTiles(Math.min(network.layers[0].units, DATA.most_units));
const examples = setUpExamples(DATA.examples);
captionExamples(examples);
setUpSlider(DATA.training, DATA.too_large, (k) => {
  network = stages[k];
  repaintTiles();
  captionExamples(examples);
  update();
});
document.getElementById("sizes").textContent = DATA.sizes.join(", ");
document.getElementById("close").addEventListener("click", () => select(null));
update();
