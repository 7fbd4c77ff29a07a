"""Who does the work: joblib's engines, chosen by name.

Code that works in parallel is written for plain joblib; the block decides who runs it:

    with working_with("dask", scheduler="tcp://192.168.1.2:8786"):
        …
"""

from collections.abc import Iterator
from contextlib import contextmanager

from joblib import parallel_config

from stages.cli import BadParameter


@contextmanager
def working_with(name: str, workers: int = 0, scheduler: str | None = None) -> Iterator[None]:
    """Let joblib work with an engine in this block.

    Args:
        name: loky (processes of this machine), threading, sequential, dask, or another that joblib
            knows.
        workers: How many; 0 for one a core. Dask takes all workers of its cluster.
        scheduler: Address of the running Dask scheduler.

    Raises:
        BadParameter: If there is no such engine, or its scheduler does not answer.
    """
    if name == "dask":
        try:
            from stages.searching.cluster import connected
        except ImportError as error:
            raise BadParameter(
                "tune.engine: dask is not installed; install it with pip install -e '.[cluster]'."
            ) from error
        with connected(scheduler) as backend, parallel_config(backend=backend):
            yield
        return
    # One thread for BLAS in each process; only loky can be told so.
    threads = {"inner_max_num_threads": 1} if name == "loky" else {}
    try:
        config = parallel_config(backend=name, n_jobs=workers or -1, **threads)
    except (ValueError, ImportError) as error:
        what = " ".join(str(error).split())
        raise BadParameter(
            f"tune.engine: joblib has no {name!r} here ({what}); choose loky."
        ) from error
    with config:
        yield
