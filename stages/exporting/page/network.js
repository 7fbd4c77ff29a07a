// The forward pass, as in nn/network.py: in each layer z = a·Wᵀ + b and a = σ(z).

const units = {
  sigmoid: (z) => 0.5 * Math.tanh(0.5 * z) + 0.5,
  tanh: Math.tanh,
  relu: (z) => Math.max(0, z),
};

function softmax(z) {
  const greatest = Math.max(...z);
  const powers = Array.from(z, (value) => Math.exp(value - greatest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

class Network {
  // model: {classes, activation, output, shape, layers: [{inputs, units, weights, biases}],
  // others}, where weights and biases are base64-encoded little-endian float32; others are the other
  // members of an ensemble.
  constructor(model) {
    Object.assign(this, model);
    this.others = (model.others ?? []).map((member) => new Network(member));
    this.layers = model.layers.map((layer) => ({
      ...layer,
      weights: floats(layer.weights),
      biases: floats(layer.biases),
    }));
  }

  // Activations of each layer for one image, an array of values in [0, 1].
  activations(image) {
    const found = [];
    let below = image;
    this.layers.forEach((layer, index) => {
      const z = new Float64Array(layer.units);
      for (let unit = 0; unit < layer.units; unit += 1) {
        let sum = layer.biases[unit];
        const row = unit * layer.inputs;
        for (let k = 0; k < layer.inputs; k += 1) sum += layer.weights[row + k] * below[k];
        z[unit] = sum;
      }
      const last = index === this.layers.length - 1;
      if (last && this.output === "softmax") below = softmax(z);
      else below = z.map(units[last ? "sigmoid" : this.activation]);
      found.push(below);
    });
    return found;
  }

  // Scores of the classes divided by their sum; in an ensemble, the mean of its members'.
  probabilities(image) {
    const scores = this.activations(image).at(-1);
    const sum = scores.reduce((a, b) => a + b, 0) + 1e-37;
    const all = [
      Array.from(scores, (score) => score / sum),
      ...this.others.map((member) => member.probabilities(image)),
    ];
    return all[0].map((_, k) => all.reduce((total, some) => total + some[k], 0) / all.length);
  }
}

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
