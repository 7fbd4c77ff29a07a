"""Benchmarks against other libraries, on the same data, each in its own process.

    python -m benchmarks.epoch        # time of an epoch, compared with frameworks and bare products
    python -m benchmarks.optimizers   # time of an epoch with each optimizer, for large layers
    python -m benchmarks.accuracy     # time until 96.59 % of the test images are right
    python -m benchmarks.prediction   # images per second
    python -m benchmarks.scale        # time and memory for data sets larger than the memory
    python -m benchmarks.stage        # time of the whole stage `train` and of its epochs
    python -m benchmarks.report       # write the tables of docs/results.md

All but the last print a table and write it to `data/benchmarks/NAME.json`, one entry per OpenBLAS
kernel; `--kernel Haswell` chooses the kernel. Libraries that are not installed are skipped;
`pip install torch jax onnx onnxruntime` installs them.
"""
