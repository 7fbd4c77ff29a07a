// The hidden units: a tile for each unit of the first layer, with its weights and its activation.

const tiles = document.getElementById("units");

// A button with the weights of a unit and a caption; a click selects the unit.
function unitButton(unit) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", `Hidden unit ${unit + 1}`);
  button.append(canvasOfWeights(unit));
  button.addEventListener("click", () => select({ unit }));
  return button;
}

function setUpTiles(count) {
  for (let unit = 0; unit < count; unit += 1) {
    const tile = unitButton(unit);
    tile.append(document.createElement("span"));
    tile.tabIndex = unit === 0 ? 0 : -1; // the arrow keys reach the others
    tiles.append(tile);
  }
  tiles.addEventListener("keydown", (event) => {
    const all = [...tiles.children];
    const columns = all.filter((tile) => tile.offsetTop === all[0].offsetTop).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const target = all[all.indexOf(document.activeElement) + steps[event.key]];
    if (!target) return;
    event.preventDefault();
    all.forEach((tile) => { tile.tabIndex = tile === target ? 0 : -1; });
    target.focus();
  });
  const details = tiles.closest("details");
  details.open = matchMedia("(min-width: 861px)").matches;
}

// Paint the weights anew, after the network was replaced.
function repaintTiles() {
  [...tiles.children].forEach((tile, unit) => canvasOfWeights(unit, tile.firstChild));
}

// activations: of the units, or null without a drawing; chosen: the selected unit, if any.
function showActivations(activations, chosen) {
  const greatest = activations ? Math.max(1e-9, ...activations.map(Math.abs)) : 1;
  [...tiles.children].forEach((tile, unit) => {
    const strength = activations ? Math.abs(activations[unit]) / greatest : 0;
    tile.style.setProperty("--strength", strength.toFixed(3));
    tile.setAttribute("aria-pressed", unit === chosen);
  });
}
