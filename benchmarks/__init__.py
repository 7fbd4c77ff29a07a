"""Side-by-side measurements against other libraries, in one process and on the same data.

    python -m benchmarks.epoch        # time of an epoch, beside frameworks and bare products
    python -m benchmarks.optimizers   # what each optimizer costs, for large layers
    python -m benchmarks.accuracy     # time until 96.59 % of the test images are recognised
    python -m benchmarks.prediction   # images a second
    python -m benchmarks.scale        # seconds and memory, as the data set outgrows memory
    python -m benchmarks.threads      # why small layers get one thread

Each prints a table and writes JSON to `data/benchmarks/`. Peers that are not installed are named
and left out; `pip install torch jax onnx onnxruntime` brings them.
"""
