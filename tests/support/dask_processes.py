"""A Dask scheduler and its workers as processes that a test can stop."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def dask_processes(folder, workers=1):
    """Yield the address of a scheduler, its process, and those of its workers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    options = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    started = [subprocess.Popen(command, **options)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--no-dashboard"]
    # What they train without end leaves the processor to other tests.
    command = ["nice", "-n", "19", *command, address, "--nthreads", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    try:
        started += [subprocess.Popen(command, **options, env=environment) for _ in range(workers)]
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address, started[0], started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()
