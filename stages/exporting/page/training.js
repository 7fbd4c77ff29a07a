// The slider through training: the same drawing, read by the network after some of its epochs.

const slider = document.getElementById("epoch");

// stages: [{epoch, accuracy}], in order; the last one is the end of training. shown(k) is called for
// the stage that the slider is moved to. isTooLarge: whether there was no room for more stages.
function setUpSlider(stages, isTooLarge, shown) {
  const last = stages.length - 1;
  if (last === 0) {
    document.getElementById("training").hidden = !isTooLarge;
    document.getElementById("stage").textContent =
      "This network is too large for this page to contain its weights during training.";
    slider.parentElement.hidden = true;
    return;
  }
  slider.max = last;
  slider.value = last;
  slider.parentElement.style.setProperty("--stages", stages.length);
  for (const { epoch, accuracy } of stages) {
    const mark = document.createElement("li");
    mark.innerHTML = "<b></b><span></span>";
    mark.firstChild.textContent = epoch;
    mark.lastChild.textContent = `${(100 * accuracy).toFixed(accuracy < 0.995 ? 1 : 2)}%`;
    mark.addEventListener("click", () => {
      slider.value = stages.findIndex((stage) => stage.epoch === epoch);
      slider.dispatchEvent(new Event("input"));
    });
    document.getElementById("epochs").append(mark);
  }
  const describe = () => {
    const k = Number(slider.value);
    const { epoch, accuracy } = stages[k];
    const epochs = epoch === 1 ? "1 epoch" : `${epoch} epochs`;
    const when = epoch === 0 ? "Before training, with random weights" : `After ${epochs} of training`;
    const text = `${when}: ${percent(accuracy)} of the validation images right`;
    document.getElementById("stage").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    [...document.getElementById("epochs").children].forEach((mark, index) => {
      mark.classList.toggle("chosen", index === k);
    });
    return k;
  };
  slider.addEventListener("input", () => shown(describe()));
  describe();
}
