"""Training: from arrays of samples to a trained network, step by step.

- `config`          all hyperparameters of a training run
- `trainer`         a training run that follows a `TrainingConfig`
- `loop`            epochs of shuffled minibatches
- `early_stopping`  the weights with the best validation score, and when to stop
- `ema`             exponential moving average of the weights
- `stagnation`      a warning for training that does not learn
- `augmentation`    random affine and elastic deformations of training images
- `inputs`          images as the first layer reads them, all at once or in chunks
- `step`            a step: forward, backward, update
- `layers`          the layers of a step, in arrays that are allocated once
- `direct`          the first layer in plain gradient descent
"""
