"""tune: prepared images and a search space → `data/search/`: trials, trade-off, the best."""

import signal
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from stages.common.command import environment_option, path_option, stage
from stages.common.errors import StageError
from stages.common.parameter_types import LARGEST_SEED, count, integer
from stages.training.data import TrainingData
from stages.training.options import SECTIONS, training_options
from tools.tuning.search import Search, run_search
from tools.tuning.space import read_space
from tools.tuning.workers import BACKENDS, workers

_METHODS, _BACKENDS = click.Choice(("grid", "random", "halving")), click.Choice(tuple(BACKENDS))
_SEED, _FOLDS, _WORKERS = integer(0, LARGEST_SEED), integer(0, 100), integer(0, 10_000)


@stage("tune", SECTIONS)
@click.option(
    "--method",
    type=_METHODS,
    default="random",
    help="grid: all combinations of lists. random: random draws. halving: random draws, trained "
    "for a few epochs; the best third continues with three times the epochs, and so on.",
)
@click.option("--trials", type=count(100_000), default=20, help="Random draws; not for grid.")
@click.option("--folds", type=_FOLDS, default=0, help="Folds of cross-validation; 0: none.")
@click.option("--search-seed", type=_SEED, default=0, help="Seed of the draws and of the folds.")
@training_options
@environment_option("backend", "TUNE_BACKEND", "Runs the trials.", type=_BACKENDS, default="loky")
@environment_option("workers", "TUNE_WORKERS", "0: one per core.", type=_WORKERS, default=0)
@environment_option("scheduler", "TUNE_SCHEDULER", "Such as tcp://10.0.0.1:8786.", default="")
@path_option("space", "experiments/search/space.yaml", "Search space: which parameters vary.")
@path_option("prepared", "data/prepared", "Folder that `preprocess` wrote.")
@path_option("search", "data/search", "Folder for the results.")
def main(space_path: str, prepared_path: str, search_path: str, **options: Any) -> None:
    """Search for better hyperparameters by their accuracy on validation images or folds.

    The parameters of `train` apply to what does not vary. Each trial is trained as `train` would.
    The test set is never read. An interrupted search resumes with the next trial.

    The backend runs the trials: loky in processes, threading in threads, sequential in this
    process, dask on a cluster, whose workers are not started here. It changes no result.

    \b
    Example:
      python -m tools.tune --method halving --trials 27 --epochs 9
    """
    # Imported here: Matplotlib takes half a second, and `--help` does not need it.
    from tools.tuning.results import write

    place = [options.pop(name) for name in ("backend", "workers", "scheduler")]
    varying = {str(param.name): param for param in main.params if param.name in SECTIONS}
    space, data = read_space(Path(space_path), varying), TrainingData.read(Path(prepared_path))
    search = Search(options, space, data)
    search.check(space_path)
    log, total = Path(search_path) / "unfinished.jsonl", sum(count for count, _ in search.rounds())
    with (
        workers(*place) as run,
        tqdm(total=total, desc="tune", unit="trial", disable=None) as progress,
    ):
        trials = run_search(search, run, log, progress.update)
    if trials[0].outcome != "trained":
        fault = f"all {len(trials)} trials failed: {trials[0].outcome}"
        raise StageError(f"{space_path}: {fault}; choose smaller values.")
    click.echo(write(Path(search_path), trials, options["folds"]))
    log.unlink(missing_ok=True)


if __name__ == "__main__":
    # As Ctrl-C, so that no worker process is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
