// The verdict, and the probability of each class.

const bars = document.getElementById("bars");

function setUpBars(classes) {
  classes.forEach((name, k) => {
    const row = document.createElement("li");
    row.innerHTML =
      '<button type="button"><span class="name"></span><span class="bar"><span></span></span><span class="value"></span></button>';
    row.querySelector(".name").textContent = name;
    row.firstChild.addEventListener("click", () => select({ digit: k }));
    bars.append(row);
  });
}

// scores: of the classes, or null without a drawing; truth: name of an example's class, or undefined.
function showPrediction(scores, truth) {
  const live = document.getElementById("verdict");
  live.setAttribute("aria-live", isDrawing() ? "off" : "polite");
  const { name, text, doubt } = scores ? answerTo(scores) : { name: "", text: "Draw something.", doubt: "" };
  live.classList.toggle("doubtful", doubt !== "");
  live.classList.toggle("long", name.length > 2);
  const parts = { answer: name, text, doubt, truth: truth === undefined ? "" : `The truth: ${truth}` };
  for (const [part, words] of Object.entries(parts)) live.querySelector(`.${part}`).textContent = words;
  const probabilities = scores ? normalized(scores) : model.classes.map(() => 0);
  const best = Math.max(...probabilities);
  [...bars.children].forEach((row, k) => {
    row.classList.toggle("first", scores !== null && probabilities[k] === best);
    row.querySelector(".bar span").style.width = percent(probabilities[k]);
    row.querySelector(".value").textContent = percent(probabilities[k]);
  });
}

// What the verdict says: the name of a class, its probability, and why to doubt it.
function answerTo(scores) {
  const probabilities = normalized(scores);
  const order = probabilities.map((_, k) => k).sort((a, b) => scores[b] - scores[a]);
  const [first, second] = order.map((k) => model.classes[k]);
  const [high, low] = order.map((k) => percent(probabilities[k]));
  const found = verdict(scores);
  if (found === UNLIKE) {
    const what = digitsOnly ? "a digit" : "any of the classes";
    return { name: "?", text: `nearest: ${first}`, doubt: `This does not look like ${what}.` };
  }
  if (found === UNSURE) return { name: `${first}?`, text: `${first}: ${high}, ${second}: ${low}`, doubt: "Not sure." };
  return { name: first, text: `probability ${high}`, doubt: "" };
}

function percent(value) {
  return `${(100 * value).toFixed(1)}%`;
}
