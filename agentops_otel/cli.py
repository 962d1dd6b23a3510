"""The command line: run a program and see it, show a trace file, find out why nothing arrives."""

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import get_importer

import click
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import sdk
from agentops_otel.config import Config, read_config
from agentops_otel.distribution import warn_of_clash
from agentops_otel.environment import ConfigError
from agentops_otel.export import build as build_pipeline
from agentops_otel.export import file
from agentops_otel.export.otlp_json import dumps
from agentops_otel.version import VERSION
from agentops_otel.view import page, terminal
from agentops_otel.view.format import plural
from agentops_otel.view.tree import Node, by_trace, trace_id

Program = Callable[[], object]


def main() -> None:
    """Run the command line; the exit code is the command's, or that of the program that it runs."""
    warn_of_clash()  # here too: where the other project was installed last, its __init__ has replaced ours
    try:
        result = commands(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    # Out here, since click would make "Aborted!" of an EOFError or a KeyboardInterrupt of the program's own.
    sys.exit(result() if callable(result) else result)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="agentops-otel")
def commands() -> None:
    """See what LLM agents do."""


@commands.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("args", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[-m MODULE | SCRIPT] [ARGS]...")
def run(args: tuple[str, ...]) -> Program:
    """Run a Python program with tracing on, as `python` would run it.

    The settings come from the environment; the exit code is the program's.
    """
    if args[0] == "-m":
        if len(args) < 2:
            raise click.UsageError("-m wants the name of a module")
        return _module(args[1], args[2:])
    if not os.path.exists(args[0]):
        raise click.UsageError(f"there is no file {args[0]!r}")
    return _script(args[0], args[1:])


@commands.command()
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]")
@click.option("--trace", "wanted", metavar="ID", help="Only this trace: its id, or how it begins.")
@click.option("--json", "as_json", is_flag=True, help="OTLP JSON, one trace a line, instead of trees.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT", help="Write one HTML page instead."
)
def show(path: Path | None, wanted: str | None, as_json: bool, html: Path | None) -> None:
    """Show the traces of a FILE; without one, of the trace file written last."""
    path = path or _latest()
    traces = _traces(path, (wanted or "").lower())
    if not traces:
        raise click.ClickException(f"no trace {wanted} in {path}" if wanted else f"no spans in {path}")
    if html:
        html.write_text(page.render(traces, title=path.name), "utf-8", newline="\n")
    elif as_json:
        for roots in traces:
            click.echo(dumps(node.span for root in roots for _, node in root.walk()))
    else:
        for roots in traces:
            terminal.show(roots, stream=sys.stdout)


@commands.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Find out why no traces arrive: looks at versions, settings and destinations, and sends each one a span.

    The exit code is 1 when spans do not arrive.
    """
    from agentops_otel.doctor import examine

    wrong = False
    for finding in examine(_config()):
        click.echo(f"{finding.level:5}  {finding.text}" + (f"\n       -> {finding.advice}" if finding.advice else ""))
        wrong |= finding.level == "wrong"
    context.exit(int(wrong))


@commands.command()
@click.option("--timeout", default=60.0, show_default=True, metavar="SECONDS", help="How long to try.")
def send(timeout: float) -> None:
    """Deliver the spans that earlier runs could not: those that wait on disk.

    The settings come from the environment, and say to which destination. The exit code is 1 when spans still wait.
    """
    pipeline = build_pipeline(_config())
    waiting = False
    for shown, (sent, left) in pipeline.recover(timeout).items():
        click.echo(f"{shown}: {plural(sent, 'span')} sent, {left or 'none'} left")
        waiting |= left > 0
    pipeline.close(0.0)
    sys.exit(int(waiting))


def _config() -> Config:
    try:
        return read_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def _latest() -> Path:
    directory = Config().state_dir / file.DIRECTORY
    files = file.trace_files(directory)
    if not files:
        raise click.ClickException(f"no trace file in {directory} yet: agentops-otel run app.py makes one")
    return files[0]


def _traces(path: Path, wanted: str) -> list[list[Node]]:
    """The trees of the file by trace, in the order the traces started; what is no span is named on stderr."""
    found = list(file.read(path))
    for error in found:
        if isinstance(error, ValueError):
            terminal.announce(f"left out: {error}")
    return by_trace(span for span in found if isinstance(span, ReadableSpan) and trace_id(span).startswith(wanted))


def _script(script: str, args: tuple[str, ...]) -> Program:
    # Absolute, as `python` makes `__file__`, so that a program may change its directory.
    path = os.path.abspath(script)

    def program() -> None:
        sys.argv = [path, *args]
        # A directory or a zip file is imported, and runpy puts it on the path itself.
        _first_on_path(os.path.dirname(os.path.realpath(path)) if get_importer(path) is None else None)
        sdk.init_for_program()
        runpy.run_path(path, run_name="__main__")

    return program


def _module(module: str, args: tuple[str, ...]) -> Program:
    def program() -> None:
        sys.argv = ["-m", *args]
        _first_on_path(os.getcwd())
        sdk.init_for_program()
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    return program


def _first_on_path(directory: str | None) -> None:
    """What `python` puts first on the path, in the place of what is there because of ourselves."""
    if not sys.flags.safe_path:
        sys.path[:1] = [] if directory is None else [directory]
