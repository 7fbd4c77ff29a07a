// Images of the test set, with their true class and what the network takes them for.

const thumbnails = document.getElementById("thumbnails");

// examples: {images, labels}: pixels from 0 to 255, base64-encoded, and the names of their classes.
function setUpExamples({ images, labels }) {
  const bytes = bytesOf(images);
  const pixels = bytes.length / labels.length;
  return labels.map((label, k) => {
    const image = Float32Array.from(bytes.subarray(k * pixels, (k + 1) * pixels), (byte) => byte / 255);
    const button = document.createElement("button");
    button.type = "button";
    button.append(canvasOfImage(image), document.createElement("span"));
    button.addEventListener("click", () => {
      cursor = null;
      replaceStrokes([{ image, label }]);
      paper.closest("section").scrollIntoView({ block: "nearest" }); // the answer is beside it
    });
    thumbnails.append(button);
    return { image, label };
  });
}

// Mark the example that is on the paper, if any.
function markExample(examples, image) {
  examples.forEach((example, k) => thumbnails.children[k].setAttribute("aria-pressed", example.image === image));
}

// Write under each example its true class, and the predicted one if it is another.
function captionExamples(examples) {
  examples.forEach(({ image, label }, k) => {
    const scores = network.scores(image);
    const predicted = model.classes[scores.indexOf(Math.max(...scores))];
    const button = thumbnails.children[k];
    const right = predicted === label;
    button.classList.toggle("wrong", !right);
    button.querySelector("span").textContent = right ? label : `${label}, read as ${predicted}`;
    button.setAttribute("aria-label", `Example: ${right ? label : `${label}, predicted as ${predicted}`}`);
  });
}
