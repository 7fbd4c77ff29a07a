"""Commands of the stages: their options, and errors of one line.

DVC unpacks sections of params.yaml into options (`${train}` becomes `--hidden 100 --epochs 30 …`),
so the Click options are the schema of params.yaml. Click would misread some values that YAML allows
(a list for a single value, true for a number); `StageCommand` raises an error for these.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from stages.common.command_line.errors import ParameterError, StageError, describe_os_error
from stages.common.command_line.interruption import interruptible
from stages.common.command_line.locking import locked
from stages.common.command_line.parameter_types import MAX_SEED, count, integer

_NO_VALUE = "expected a value, got none (or true or false)"


def seed_option() -> Callable:
    """`--seed`, for commands that draw random numbers."""
    return click.option(
        "--seed",
        type=integer(0, MAX_SEED),
        default=0,
        help="Seed of the random numbers; the same seed gives the same bytes.",
    )


def count_option(name: str, default: int, up_to: int, description: str) -> Callable:
    """An option for an integer from 1 to `up_to`."""
    return click.option(f"--{name}", type=count(up_to), default=default, help=description)


def path_option(name: str, default: str | None, description: str) -> Callable:
    """An option for the path of an artifact; dvc.yaml may set it, params.yaml may not."""
    return click.option(f"--{name}-path", type=click.Path(), default=default, help=description)


def environment_option(name: str, variable: str, description: str, **options: Any) -> Callable:
    """An option that changes how the work is done, not its results.

    params.yaml may not set it; under DVC the environment variable does.
    """
    return click.option(f"--{name}", envvar=variable, show_envvar=True, help=description, **options)


def stage(
    name: str, sections: Mapping[str, str] | None = None, writes: str | None = None
) -> Callable:
    """Decorate a function as the command of a stage.

    Args:
        name: Name of the stage, and of its section of params.yaml.
        sections: The section of each parameter that is in another one.
        writes: Name of the path option whose output only one process at a time may write.
    """
    return click.command(
        name,
        cls=StageCommand,
        sections=sections or {},
        writes=writes,
        context_settings={
            # params.yaml has learning_rate; in a shell, --learning-rate is usual.
            "token_normalize_func": lambda token: token.replace("_", "-"),
            "show_default": True,
            "max_content_width": 100,
        },
    )


def copies_option() -> Callable:
    """Option `--copies` of test-time augmentation."""
    return click.option(
        "--copies",
        type=integer(0, 1_000),
        default=0,
        help="Test-time augmentation: number of augmented copies of each image, whose predictions "
        "are averaged with that for the image itself.",
    )


def is_parameter(option: click.Parameter) -> bool:
    """Whether params.yaml sets this option, unlike --help, paths and environment options."""
    is_option = isinstance(option, click.Option) and not isinstance(option.type, click.Path)
    return is_option and not (option.is_eager or option.envvar)


class StageCommand(click.Command):
    """A command whose errors are single lines that name a parameter as params.yaml does."""

    def __init__(
        self, *args: Any, sections: Mapping[str, str], writes: str | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections, self.writes = sections, writes

    def section(self, name: str) -> str:
        """Return the section of params.yaml that has the parameter `name`."""
        return self.sections.get(name, str(self.name))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as Click does; raise `ParameterError` for what Click would misread."""
        # Without arguments, Click can stop at the first word that belongs to no option.
        has_arguments = any(isinstance(param, click.Argument) for param in self.params)
        ctx.allow_interspersed_args = has_arguments
        ctx.allow_extra_args = not has_arguments
        try:
            values, rest, params = self.make_parser(ctx).parse_args(args=list(args))
            given = [param for param in params if isinstance(param, click.Option)]
            self._check_counts(values, given)
            unexpected = rest if not has_arguments else []
            # DVC makes the word None of an empty section, which the second check describes better.
            if "DVC_STAGE" in os.environ and unexpected[:1] in ([], ["None"]):
                self._check_params_yaml(values, given)
            if unexpected:
                raise self._unexpected(rest[0], args[: -len(rest)])
            return super().parse_args(ctx, list(args))
        except BrokenPipeError:  # Click handles it
            raise
        except OSError as error:  # standard output of --help
            raise StageError(describe_os_error(error)) from error
        except click.NoSuchOption as error:
            hints = sorted({_key(option) for option in error.possibilities or []})
            if "DVC_STAGE" in os.environ:  # params.yaml sets no paths
                hints = [name for name in hints if not name.endswith("_path")]
            hint = f" Did you mean {' or '.join(hints)}?" if hints else ""
            key = _key(error.option_name)
            section = self.section(_key(error.possibilities[0]) if error.possibilities else key)
            raise ParameterError(f"{section}.{key}: there is no such parameter.{hint}") from error
        except click.BadOptionUsage as error:
            key = _key(error.option_name)
            has_value = any(word.startswith(f"{error.option_name}=") for word in args)
            raise self._error(key, error.message if has_value else _NO_VALUE) from error
        except click.MissingParameter as error:
            param = error.param
            choices = getattr(param and param.type, "choices", ())
            expected = f"one of {', '.join(choices)}" if choices else "a value"
            name = None if param is None else param.name
            raise self._error(name, f"expected {expected}, got none") from error
        except click.UsageError as error:
            param = getattr(error, "param", None)
            message = error.message or error.format_message()
            raise self._error(param and param.name, message) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors of the operating system become a `StageError`."""
        # Stages draw to files only, and Matplotlib fails if this names a backend that it lacks.
        os.environ.pop("MPLBACKEND", None)
        output = f"{self.writes}_path"
        lock = locked(Path(ctx.params[output])) if self.writes else nullcontext()
        try:
            with interruptible(), lock:
                return super().invoke(ctx)
        except BrokenPipeError:  # the process that reads the output, such as `head`, has ended
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            sys.exit(1)
        except OSError as error:
            raise StageError(describe_os_error(error)) from error
        except MemoryError as error:
            raise StageError(
                f"{self.name}: not enough memory; close other programs, or choose smaller layers, "
                "minibatches or data sets."
            ) from error

    def _error(self, name: str | None, fault: str) -> ParameterError:
        """Error for the parameter `name`, or for the command itself if it is None."""
        where = self.name if name is None else f"{self.section(name)}.{name}"
        return ParameterError(f"{where}: {fault.rstrip('.')}.")

    def _unexpected(self, word: str, before: Sequence[str]) -> ParameterError:
        """The error for a word that belongs to no option, given the words before it."""
        words = [word for word in before if word.startswith("--")]
        key = _key(words[-1].partition("=")[0]) if words else None
        option = next((param for param in self.params if param.name == key), None)
        expected = "options only, got"
        if isinstance(option, click.Option):
            expected = "true or false, got" if option.is_flag else "one value, and after it got"
        return self._error(key, f"expected {expected} {word!r}")

    def _check_counts(self, values: Mapping[str, Any], given: Sequence[click.Option]) -> None:
        """Raise an error for two values of one parameter, and for an option in place of a value."""
        for option, times in Counter(given).items():
            value = values[str(option.name)]
            if any(str(element).startswith("--") for element in _as_list(value)):
                raise self._error(option.name, _NO_VALUE)
            if times > 1 and not option.multiple:
                fault = f"expected one value, got {times} (a list, or a key in two sections)"
                raise self._error(option.name, fault)

    def _check_params_yaml(self, values: Mapping[str, Any], given: Sequence[click.Option]) -> None:
        """Raise an error for nulls, missing parameters, and options other than parameters."""
        parameters_began = False
        for option in given:
            key = _key(option.opts[0])
            if option.envvar:
                fault = "not a parameter, because it does not change results"
                raise self._error(key, f"{fault}; set {option.envvar} in the environment")
            # dvc.yaml passes paths first; a path after a parameter comes from params.yaml.
            if not is_parameter(option) and (parameters_began or option.is_eager):
                raise self._error(key, "there is no such parameter; dvc.yaml sets paths")
            parameters_began = parameters_began or is_parameter(option)
            if "None" in _as_list(values[str(option.name)]):
                raise self._error(key, f"expected a value{_example(option)}, got null")
        sections = {self.section(str(option.name)) for option in given}
        for param in self.params:
            if not is_parameter(param) or param in given:
                continue
            section = self.section(str(param.name))
            if section not in sections:
                fault = f"expected parameters such as {param.name}, got an empty section"
                raise ParameterError(f"{section}: {fault}.")
            fault = "got an empty list, a mapping, or no such key in params.yaml"
            raise self._error(param.name, f"expected a value{_example(param)}, {fault}")


def _key(option: str) -> str:
    """`--no-shuffle` → shuffle, as params.yaml names it."""
    return option.lstrip("-").replace("-", "_").removeprefix("no_")


def _as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def _example(param: click.Parameter) -> str:
    default = param.default
    return f", such as {list(default) if isinstance(default, tuple | list) else default}"
