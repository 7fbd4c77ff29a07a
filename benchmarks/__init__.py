"""Benchmarks beside other libraries, in one process and on the same data.

    python -m benchmarks.epoch        # time of an epoch, beside frameworks and bare matrix products
    python -m benchmarks.optimizers   # time of an epoch of large layers with each optimizer
    python -m benchmarks.accuracy     # training time until 96.59 % test accuracy
    python -m benchmarks.prediction   # predicted images per second
    python -m benchmarks.scale        # time and memory for data sets of growing size
    python -m benchmarks.threads      # matrix products with one and two threads

Each prints a table and writes it as JSON to `data/benchmarks/`. Libraries that are not installed
are skipped with a message; `pip install torch jax onnx onnxruntime` installs them.
"""
