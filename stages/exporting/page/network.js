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
  // model: {classes, output, shape}; then one network, or the members of an ensemble, each
  // {activation, layers: [{weights, biases}]}, where the weights are encoded (units, inputs) matrices
  // and the biases are numbers.
  constructor(model, [{ activation, layers }, ...others]) {
    Object.assign(this, model, { activation });
    this.others = others.map((member) => new Network(model, [member]));
    let inputs = model.shape[0] * model.shape[1];
    this.layers = layers.map(({ weights, biases }) => {
      const layer = { inputs, units: biases.length, weights: decode(weights, inputs), biases };
      inputs = layer.units;
      return layer;
    });
  }

  // Weighted inputs z of a layer, for the activations of the layer below.
  weightedInputs(index, below) {
    const { inputs, units: count, weights, biases } = this.layers[index];
    const z = new Float64Array(count);
    for (let unit = 0; unit < count; unit += 1) {
      let sum = biases[unit];
      const row = unit * inputs;
      for (let k = 0; k < inputs; k += 1) sum += weights[row + k] * below[k];
      z[unit] = sum;
    }
    return z;
  }

  // Activations of the first layer for one image, an array of values in [0, 1].
  firstActivations(image) {
    const z = this.weightedInputs(0, image);
    return this.layers.length === 1 ? this.outputs(z) : z.map(units[this.activation]);
  }

  // Weighted inputs of the output layer, for the activations of the first layer.
  outputInputs(first) {
    let below = first;
    for (let index = 1; index < this.layers.length - 1; index += 1) {
      below = this.weightedInputs(index, below).map(units[this.activation]);
    }
    return this.weightedInputs(this.layers.length - 1, below);
  }

  outputs(z) {
    return this.output === "softmax" ? softmax(z) : z.map(units.sigmoid);
  }

  // Scores of the classes, from 0 to 1; in an ensemble, the mean of its members' probabilities.
  scores(image) {
    const first = this.firstActivations(image);
    const own = this.layers.length === 1 ? first : this.outputs(this.outputInputs(first));
    if (this.others.length === 0) return own;
    const all = [normalized(own), ...this.others.map((member) => member.probabilities(image))];
    return all[0].map((_, k) => all.reduce((total, some) => total + some[k], 0) / all.length);
  }

  // Scores divided by their sum.
  probabilities(image) {
    return normalized(this.scores(image));
  }

  // What a unit of the first layer adds to the weighted input of each output: how much less it would
  // be if the unit's activation were 0. With one hidden layer this is activation times weight.
  additions(first, unit) {
    if (this.layers.length === 2) return this.weightsFrom(unit).map((weight) => weight * first[unit]);
    const without = Float64Array.from(first);
    without[unit] = 0;
    const less = this.outputInputs(without);
    return Array.from(this.outputInputs(first), (z, k) => z - less[k]);
  }

  // Weights from a unit of the first layer to each unit of the second.
  weightsFrom(unit) {
    const { inputs, units: count, weights } = this.layers[1];
    return Array.from({ length: count }, (_, k) => weights[k * inputs + unit]);
  }

  // Weights from each input to a unit of the first layer.
  weightsTo(unit) {
    const { inputs, weights } = this.layers[0];
    return weights.subarray(unit * inputs, (unit + 1) * inputs);
  }
}

function normalized(scores) {
  const sum = scores.reduce((a, b) => a + b, 0) + 1e-37;
  return Array.from(scores, (score) => score / sum);
}
