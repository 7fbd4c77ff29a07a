// When a prediction is not to be relied on; the same rule as in stages/common/photographs/verdict.py.

const UNSURE = "not sure";
const UNLIKE = "unlike any class";
const LEAST_LIKE = 0.3;
const LEAST_MARGIN = 0.15;

// null for a sure prediction, otherwise UNSURE or UNLIKE.
function verdict(scores) {
  const [first, second] = Array.from(scores).sort((a, b) => b - a);
  if (first < LEAST_LIKE) return UNLIKE;
  return first - second < LEAST_MARGIN ? UNSURE : null;
}
