"""What every stage's command line has in common: parameter types, and one clear line on error.

DVC unpacks a section of `params.yaml` into options (`${train}` becomes `--hidden 100 --epochs 30
…`), so the Click options are the schema of the parameters. YAML can say things that a command line
cannot (a list where one value belongs, `true` for a number); `StageCommand` finds these out.
"""

import contextlib
import errno
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

# Beyond anything useful, and within what float32 arithmetic and 32-bit seeds can hold.
LARGEST_NUMBER = 1e6
SMALLEST_NUMBER = 1e-8
LARGEST_COUNT = 1_000_000_000
LARGEST_SEED = 2**32 - 1

_FREE_SPACE = "Free some space on that disk, then run the stage again."
_MAKE_WRITABLE = "Make it readable and writable for you, or choose another folder."
_MOVE_AWAY = "Something else is in the place of a folder or a file; move it away."
_OTHER_ADVICE = "Put that right, then run the stage again."
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EACCES: _MAKE_WRITABLE,
    errno.EPERM: _MAKE_WRITABLE,
    errno.EROFS: _MAKE_WRITABLE,
    errno.EEXIST: _MOVE_AWAY,
    errno.EISDIR: _MOVE_AWAY,
    errno.ENOTDIR: _MOVE_AWAY,
}


class Refusal(click.ClickException):
    """Something the user can put right: printed as one line, without a traceback; exit code 1."""


class BadParameter(Refusal):
    """A parameter that cannot be used; exit code 2, as for every misuse of a command line."""

    exit_code = 2


class WholeNumber(click.IntRange):
    """An integer within limits; `click.IntRange` with a message that people understand."""

    name = "integer"


class PositiveNumber(click.ParamType):
    """A finite float above 0; unlike `click.FloatRange`, it does not let `nan` through."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The float, or a `click.BadParameter` that says what would be one."""
        number = _float_or_nan(value)
        if not SMALLEST_NUMBER <= number <= LARGEST_NUMBER:
            allowed = f"{SMALLEST_NUMBER:g} to {LARGEST_NUMBER:g}"
            self.fail(f"{value!r} is not a number above 0, from {allowed}.", param, ctx)
        return number


class Size(click.ParamType):
    """A number of samples (an int of at least 1) or a fraction of them (between 0 and 1)."""

    name = "count|fraction"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """The count or the fraction, or a `click.BadParameter` that says what would be one."""
        number = _float_or_nan(value)
        if 0 < number < 1:
            return number
        # Not "1.0", which could be meant as all or as one.
        if str(value).isdecimal() and 1 <= number <= LARGEST_COUNT:
            return int(value)
        message = "is neither a number of samples (1, 2, …) nor a fraction between 0 and 1."
        return self.fail(f"{value!r} {message}", param, ctx)


def _float_or_nan(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def count(most: int = LARGEST_COUNT) -> WholeNumber:
    """An integer from 1 to `most`."""
    return WholeNumber(1, most)


def seed_option() -> Callable:
    """`--seed`, for stages that draw random numbers."""
    return click.option(
        "--seed",
        type=WholeNumber(0, LARGEST_SEED),
        default=0,
        help="Where the random numbers start; the same seed gives the same bytes.",
    )


def path_option(name: str, default: str, description: str) -> Callable:
    """An option that says where an artifact lies. DVC leaves these at their defaults."""
    return click.option(f"--{name}-path", type=click.Path(), default=default, help=description)


def environment_option(name: str, variable: str, description: str, **options: Any) -> Callable:
    """An option that says who does the work, not what comes out: no parameter, so not for DVC.

    Under DVC the environment variable sets it.
    """
    return click.option(f"--{name}", envvar=variable, show_envvar=True, help=description, **options)


def stage(name: str) -> Callable[[Callable], click.Command]:
    """Turn a function into the Click command of the stage `name` of `params.yaml`."""
    return click.command(
        name,
        cls=StageCommand,
        context_settings={
            # params.yaml says learning_rate, a person at the shell types --learning-rate.
            "token_normalize_func": lambda token: token.replace("_", "-"),
            "show_default": True,
            "max_content_width": 100,
        },
    )


class StageCommand(click.Command):
    """A command whose errors are single lines that name the parameter as `params.yaml` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as Click does, and say in one line what is wrong."""
        try:
            self._check_arity(ctx, args)
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hints = sorted({_key(option) for option in error.possibilities or []})
            hint = f" Did you mean {' or '.join(hints)}?" if hints else ""
            key = _key(error.option_name)
            raise BadParameter(f"{self.name}.{key}: there is no such parameter.{hint}") from error
        except click.UsageError as error:
            param = getattr(error, "param", None)
            where = f"{self.name}.{param.name}" if param else self.name
            raise BadParameter(f"{where}: {error.message or error.format_message()}") from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the stage; a full disk or memory is the user's news, not a traceback."""
        try:
            with _interruptible():
                return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output has enough, such as `head`
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            sys.exit(1)
        except OSError as error:
            raise Refusal(describe_os_error(error)) from error
        except MemoryError as error:
            raise Refusal(f"{self.name}: not enough memory for these parameters.") from error

    def _check_arity(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Refuse what Click would misread: lists, true/false and nothing where a value belongs."""
        options = {
            opt: param
            for param in self.get_params(ctx)
            for opt in (*param.opts, *param.secondary_opts)
        }
        under_dvc = "DVC_STAGE" in os.environ
        given: set[str] = set()
        knobs_began = False
        position = 0
        while position < len(args):
            token, equals, _ = args[position].partition("=")
            if token == "--":  # no options come after it
                break
            position += 1
            param = options.get(token.replace("_", "-"))
            if param is None:
                return  # no such option, which Click says best
            key = f"{self.name}.{param.name}"
            # The commands of dvc.yaml say where files lie before the parameters begin; whatever
            # of this kind comes later is from params.yaml.
            if under_dvc and isinstance(param, click.Option) and param.envvar:
                raise BadParameter(
                    f"{key}: it is no parameter, since it does not change results; set "
                    f"{param.envvar} in the environment."
                )
            if under_dvc and not is_knob(param) and (knobs_began or param.is_eager):
                raise BadParameter(
                    f"{key}: there is no such parameter; dvc.yaml says where files lie."
                )
            knobs_began = knobs_began or is_knob(param)
            takes_value = not (isinstance(param, click.Option) and (param.is_flag or param.count))
            has_value = position < len(args) and not args[position].startswith("--")
            if takes_value and not equals:
                if not has_value:
                    raise BadParameter(f"{key}: it has no value, or true or false for one.")
                if under_dvc and args[position] == "None":
                    raise BadParameter(f"{key}: it is null; give it a value{_example(param)}.")
                position += 1
            elif not takes_value and has_value:
                raise BadParameter(
                    f"{key}: {args[position]!r} is not true or false (without quotes)."
                )
            if param.name in given and not param.multiple:
                raise BadParameter(f"{key}: it takes one value, not a list.")
            given.add(str(param.name))
            if position < len(args) and not args[position].startswith("--"):
                raise BadParameter(f"{key}: unexpected {args[position]!r} after its value.")
        if under_dvc:
            self._require_all(ctx, given)

    def _require_all(self, ctx: click.Context, given: set[str]) -> None:
        """Under DVC every parameter is spelt out: one not given is an empty list, or was lost."""
        for param in self.get_params(ctx):
            if is_knob(param) and param.name not in given:
                raise BadParameter(
                    f"{self.name}.{param.name}: it is missing from params.yaml, or an empty list; "
                    f"give it a value{_example(param)}."
                )


def is_knob(param: click.Parameter) -> bool:
    """Whether `params.yaml` sets it; not `--help`, what dvc.yaml says, or who does the work."""
    is_option = isinstance(param, click.Option) and not isinstance(param.type, click.Path)
    return is_option and not (param.is_eager or param.envvar)


def _key(option: str) -> str:
    """`--no-shuffle` → shuffle, as `params.yaml` calls it."""
    return option.lstrip("-").replace("-", "_").removeprefix("no_")


def _example(param: click.Parameter) -> str:
    default = param.default
    if isinstance(default, tuple | list):
        return f", such as {list(default)}"
    return f", such as {default}" if isinstance(default, int | float | str) else ""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C be a Ctrl-C where a library makes another error of it, as `np.save` can."""
    interrupted = False

    def interrupt(signum: int, frame: Any) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(signum, frame)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # somebody else decides what Ctrl-C does here
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if interrupted:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def describe_os_error(error: OSError) -> str:
    """One line that names the file and says what went wrong."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. {_ADVICE.get(error.errno or 0, _OTHER_ADVICE)}"
