"""Command `tune`: search for better hyperparameters, by validation accuracy."""

import signal
from functools import partial
from pathlib import Path
from typing import Any

import click

from stages.common.command_line.command import count_option, environment_option, path_option, stage
from stages.common.command_line.errors import StageError
from stages.common.command_line.parameter_types import MAX_SEED, integer
from stages.training.data import TrainingData
from stages.training.options import SECTIONS, training_options
from tools.tuning.search import rounds, run_search
from tools.tuning.space import read_candidates
from tools.tuning.workers import run_locally, run_on_cluster


@stage("tune", SECTIONS)
@click.option(
    "--method",
    type=click.Choice(["grid", "random", "halving"]),
    default="random",
    help="How candidates are chosen.",
)
@count_option("trials", 20, 100_000, "Random draws; grid ignores it.")
@click.option("--search-seed", type=integer(0, MAX_SEED), default=0, help="Seed of the draws.")
@training_options
@environment_option(
    "workers", "TUNE_WORKERS", "Processes; 0: one per core.", type=integer(0, 10_000), default=0
)
@environment_option("scheduler", "TUNE_SCHEDULER", "Dask scheduler that runs trials.", default="")
@path_option("space", "experiments/search/space.yaml", "Search space: the parameters that vary.")
@path_option("prepared", "data/prepared", "Folder written by `preprocess`.")
@path_option("search", "data/search", "Folder for the results.")
def main(space_path: str, prepared_path: str, search_path: str, **options: Any) -> None:
    """Search for better hyperparameters by their accuracy on the validation images.

    The method grid tries all combinations of lists, and random tries random draws. halving trains
    random draws for a few epochs; the best third continues with three times the epochs, and so on.
    An interrupted search resumes. The test set is not read.

    \b
    Example:
      python -m tools.tune --method halving --trials 27 --epochs 9
    """
    from tools.tuning.results import write  # imports Matplotlib, which `--help` does not need

    workers, scheduler = options.pop("workers"), options.pop("scheduler")
    run = partial(run_on_cluster, scheduler) if scheduler else partial(run_locally, workers)
    method, *draws = (options.pop(name) for name in ("method", "trials", "search_seed"))
    varying = {str(param.name): param for param in main.params if param.name in SECTIONS}
    candidates = read_candidates(Path(space_path), varying, method, *draws)
    plan = rounds(len(candidates), options["epochs"], method == "halving")
    names = sorted({*candidates[0], *plan[0][1]})
    data, log = TrainingData.read(Path(prepared_path)), Path(search_path) / "unfinished.json"
    trials = run_search(data, [options | values for values in candidates], plan, run, log)
    if trials[0].outcome != "trained":
        raise StageError(f"{space_path}: all {len(trials)} trials failed: {trials[0].outcome}")
    click.echo(write(Path(search_path), names, trials))
    log.unlink()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C, ends the workers too
    main()
