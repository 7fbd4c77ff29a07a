"""Side-by-side measurements against other libraries, on the same data, each in its own process.

    python -m benchmarks.epoch        # time of an epoch, beside frameworks and bare products
    python -m benchmarks.optimizers   # what each optimizer costs, for large layers
    python -m benchmarks.accuracy     # time until 96.59 % of the test images are recognised
    python -m benchmarks.prediction   # images a second
    python -m benchmarks.scale        # seconds and memory, as the data set outgrows memory
    python -m benchmarks.threads      # products with one BLAS thread, with two, and in two halves
    python -m benchmarks.stage        # the whole stage `train`, beside its epochs alone
    python -m benchmarks.report       # write the tables of docs/results.md

All but the last print a table and write it to `data/benchmarks/NAME.json`, one entry per OpenBLAS
kernel; `--kernel Haswell` chooses the kernel. Libraries that are not installed are named and left
out; `pip install torch jax onnx onnxruntime` installs them.
"""
