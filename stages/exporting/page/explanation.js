// The explanation of one hidden unit, or of one class: what adds how much to which output.

const explanation = document.getElementById("explanation");
// Greatest number of units that are listed for and against a class.
const MOST_ARGUMENTS = 8;

// chosen: {unit}, {digit} or null; first: activations of the first layer, or null without a drawing.
function explain(chosen, first) {
  explanation.hidden = chosen === null;
  if (chosen === null) return;
  const [title, ...parts] = chosen.unit === undefined ? argumentsOf(chosen.digit, first) : unitAlone(chosen.unit, first);
  explanation.querySelector("h2").textContent = title;
  explanation.querySelector(".content").replaceChildren(...parts);
}

function element(name, className, ...children) {
  const created = document.createElement(name);
  created.className = className;
  created.append(...children);
  return created;
}

// With a sign, unless it is rounded to 0.
function signed(value) {
  const digits = Math.abs(value).toFixed(2);
  return Number(digits) === 0 ? digits : `${value < 0 ? "−" : "+"}${digits}`;
}

// A unit: its weights, and lines to the outputs with what it adds to each.
function unitAlone(unit, first) {
  const additions = first ? network.additions(first, unit) : null;
  const direct = network.layers.length === 2;
  const strengths = direct ? network.weightsFrom(unit) : (additions ?? model.classes.map(() => 0));
  const activation = first ? ` Its activation is now ${first[unit].toFixed(2)}.` : "";
  const lines = direct
    ? "The lines are its weights to the outputs"
    : "The lines are its effect on the outputs, through the layers between";
  const text =
    `Ink on red pixels makes it more active, ink on blue ones less.${activation} ${lines}; the numbers ` +
    "are what it adds to each output now.";
  const outputs = element("ol", "outputs");
  model.classes.forEach((name, k) => {
    const value = element("span", "value", additions ? signed(additions[k]) : "");
    const row = element("button", additions?.[k] < 0 ? "against" : "for", element("b", "", name), value);
    row.type = "button";
    row.addEventListener("click", () => select({ digit: k }));
    outputs.append(element("li", "", row));
  });
  const picture = element("div", "fan", canvasOfWeights(unit), linesTo(strengths), outputs);
  return [`Hidden unit ${unit + 1}`, element("p", "", text), picture];
}

// A drawing of lines from one point to a row for each output: red for positive, blue for negative.
function linesTo(strengths) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const greatest = Math.max(1e-9, ...strengths.map(Math.abs));
  svg.setAttribute("viewBox", `0 0 100 ${10 * strengths.length}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  strengths.forEach((strength, k) => {
    const [middle, end] = [5 * strengths.length, 10 * k + 5];
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", `M0 ${middle} C50 ${middle} 50 ${end} 100 ${end}`);
    line.setAttribute("class", strength < 0 ? "against" : "for");
    line.setAttribute("stroke-width", 0.5 + (7.5 * Math.abs(strength)) / greatest);
    svg.append(line);
  });
  return svg;
}

// A class: the units that add most to its output, and those that subtract most.
function argumentsOf(digit, first) {
  const title = `For and against ${model.classes[digit]}`;
  if (!first) return [title, element("p", "", "Draw something, or choose an example.")];
  const direct = network.layers.length === 2;
  const count = direct ? first.length : tiles.children.length;
  const additions = Array.from({ length: count }, (_, unit) => network.additions(first, unit)[digit]);
  const order = additions.map((_, unit) => unit).sort((a, b) => additions[b] - additions[a]);
  const pro = order.filter((unit) => additions[unit] > 0);
  const contra = order.filter((unit) => additions[unit] < 0).reverse();
  const total = (list) => signed(list.reduce((sum, unit) => sum + additions[unit], 0));
  const z = network.outputInputs(first);
  const score = network.outputs(z)[digit];
  const bias = signed(network.layers.at(-1).biases[digit]);
  const sum = direct
    ? `What each unit adds to its output now: ${total(pro)} ${total(contra)} and a bias of ${bias} make`
    : "How much less its output would get without each unit; in all it gets";
  return [
    title,
    element("p", "", `${sum} ${signed(z[digit])}, which is a score of ${percent(score)}.`),
    element(
      "div",
      "arguments",
      side("for", `${pro.length} units for it, ${total(pro)}`, pro, additions),
      side("against", `${contra.length} units against it, ${total(contra)}`, contra, additions),
    ),
  ];
}

function side(className, title, list, additions) {
  const buttons = list.slice(0, MOST_ARGUMENTS).map((unit) => {
    const button = unitButton(unit);
    button.append(element("span", "value", signed(additions[unit])));
    return button;
  });
  return element("div", className, element("h3", "", title), element("div", "list", ...buttons));
}
