"""Training: from arrays of samples to a trained network, step by step.

- `config`          all hyperparameters of a training run
- `trainer`         a training run that follows a `TrainingConfig`
- `loop`            epochs of shuffled minibatches
- `early_stopping`  the weights with the best validation score, and when to stop
- `ema`             exponential moving average of the weights
- `stagnation`      a warning for training that does not learn
- `batches`         chunks of shuffled samples, loaded in another thread
- `minibatches`     the minibatches of a chunk, prepared for training
- `training_step`   backpropagation in preallocated arrays
- `blocked_layer`   the first layer for several minibatches at a time
- `blocked_inputs`  its inputs, which another thread prepares
"""
