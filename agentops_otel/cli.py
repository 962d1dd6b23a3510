"""The command line: run a program and see it, show a trace file, find out why nothing arrives."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import click
import orjson
from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel import clients
from agentops_otel.config import Config, read_config
from agentops_otel.distribution import warn_of_clash
from agentops_otel.environment import ConfigError, inherited
from agentops_otel.export import file, otlp_json, send_left_overs, trace_directory
from agentops_otel.launcher import Run, command
from agentops_otel.one_trace import OneTrace
from agentops_otel.private_files import opener
from agentops_otel.version import VERSION
from agentops_otel.view import run_report, selection, terminal
from agentops_otel.view.format import dollars, plural, seconds, tokens_text
from agentops_otel.view.selection import Filter
from agentops_otel.view.tree import Node, Summary, by_trace, key_of, summarize

_LARGE_BYTES = 16 * 1024 * 1024
"""Files of this size, or more, take seconds to read."""


def main() -> None:
    """Run the command line; the exit code is the command's, or that of the program that it runs."""
    warn_of_clash()  # here too: where the other project was installed last, its __init__ has replaced ours
    try:
        code = commands(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    sys.exit(code)


def _examples(*lines: str) -> str:
    # \b keeps click from joining the lines.
    return "\n".join(["\b", "Examples:", *(f"  agentops-otel {line}" for line in lines)])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="agentops-otel")
def commands() -> None:
    """See what LLM agents do."""


@commands.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument(
    "args", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[-m MODULE | SCRIPT | COMMAND] [ARGS]..."
)
@click.option("--one-trace", is_flag=True, help="One trace for the whole run, printed at its end.")
@click.option("--name", metavar="NAME", help="What the run is called; by default as the command.")
def run(args: tuple[str, ...], one_trace: bool, name: str | None) -> None:
    """Run a command with tracing on, in all of its Python processes.

    The settings come from the environment; the exit code is the command's.
    """
    if args == ("-m",):
        raise click.UsageError("-m wants the name of a module")
    try:
        to_start = command.resolve(args)
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from None
    config = _config()  # a wrong setting is reported before the command starts
    name = name or command.program_name(args)
    begun = Run.begin(name, [*clients.FILES, "agentops_otel", "taskweaver"])
    try:
        whole = OneTrace.begin(begun, name, config) if one_trace else None
        environment = command.environment(inherited(), **{Run.VARIABLE: str(begun.folder)})
        code = command.run(to_start, environment)
        if whole is not None:
            whole.end(code)
        if not config.quiet:
            terminal.announce(run_report.describe(begun, name, lambda path: _spans([path])))
    finally:
        begun.end()
    command.end_as(code)


@commands.command(epilog=_examples("show --errors", "show --model gpt-4 --slow 5 --since 2h", "show --follow"))
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]")
@click.option("--trace", "wanted", metavar="ID", default="", help="Only this trace: its id, or how it begins.")
@click.option("--errors", is_flag=True, help="Only traces in which something failed.")
@click.option("--slow", metavar="SECONDS", type=float, default=0.0, help="Only traces that took as long, or longer.")
@click.option("--model", metavar="NAME", default="", help="Only traces that called a model with this in its name.")
@click.option("--since", metavar="TIME", help="Only traces that began since then: 10m, 2h, 3d, 2026-01-31.")
@click.option("--follow", is_flag=True, help="Go on with what a running program adds, until Ctrl-C.")
@click.option("--totals", is_flag=True, help="Only what the traces add up to.")
@click.option("--json", "as_json", is_flag=True, help="OTLP JSON, one trace a line, instead of trees.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT", help="Write one HTML page instead."
)
def show(
    path: Path | None, wanted: str, since: str | None, html: Path | None, follow: bool, as_json: bool, **only: Any
) -> None:
    """Show the traces of a FILE; without one, of the last run, with all of its processes."""
    paths = [path] if path else _latest()
    totals = only.pop("totals")
    taken = Filter(
        trace_id=wanted.lower(),
        errors=only["errors"],
        slow_s=only["slow"],
        model=only["model"],
        since=_moment(since) if since else None,
    )
    silent = bool(html or totals) or not sys.stdout.isatty()
    source = _follow(path) if follow else selection.traces(_spans(paths, progress=silent and sys.stderr.isatty()))
    traces = (roots for roots in source if taken.takes(roots))
    first = next(traces, None)
    if first is None:
        missing = f"trace {wanted}" if wanted else "spans" if taken == Filter() else "such trace"
        raise click.ClickException(f"no {missing} in {paths[0]}")
    shown = chain([first], traces)
    if html:
        _write_page(shown, html, title=paths[0].name)
    elif totals:
        _totals(shown)
    else:
        for roots in shown:
            _show(roots, as_json=as_json)


def _write_page(traces: Iterable[Sequence[Node]], path: Path, *, title: str) -> None:
    # Imported here: the other commands do without SQLite.
    from agentops_otel.view.live import Store, saved
    from agentops_otel.view.live.wanted import Filter as Wanted

    store, given = Store(None, otlp_json, limit_bytes=saved.LIMIT_BYTES), 0
    for roots in traces:
        spans = [node.span for root in roots for node in root.walk()]
        store.add(spans)
        given += len(spans)
    left_out = given - sum(int(str(run["spans"])) for run in store.runs(Wanted(), limit=None))
    if left_out:
        size = f"{saved.LIMIT_BYTES >> 20} MB"
        terminal.announce(f"left out: {left_out} of {given} spans, the first, since a page has {size} of them at most")
    path.unlink(missing_ok=True)  # a file that is there would keep its mode
    with open(path, "wb", opener=opener) as file_of_page:
        file_of_page.writelines(saved.parts(store, title=title))
    store.close()


def _show(roots: Sequence[Node], *, as_json: bool) -> None:
    if as_json:
        click.echo(otlp_json.dumps(node.span for root in roots for node in root.walk()))
        return
    parents = selection.unfinished(roots)
    terminal.show(roots, stream=sys.stdout, note=f"{plural(parents, 'parent')} never ended" if parents else "")


def _totals(traces: Iterable[Sequence[Node]]) -> None:
    number, total = 0, Summary()
    for roots in traces:
        number, total = number + 1, total + summarize(roots)
    facts = [
        plural(number, "trace"),
        plural(total.llm_calls, "LLM call"),
        plural(total.tools, "tool"),
        plural(total.errors, "error"),
        tokens_text(total.input_tokens, total.output_tokens),
        "" if total.cost_usd is None else dollars(total.cost_usd),
        f"{seconds(total.duration_ns)} in all",
    ]
    click.echo(", ".join(filter(None, facts)))


def _moment(text: str) -> datetime:
    try:
        return selection.since(text, datetime.now(UTC))
    except ValueError:
        raise click.UsageError(f"--since {text}: give 10m, 2h, 3d, or a date such as 2026-01-31") from None


def _spans(paths: Sequence[Path], *, progress: bool = False) -> Iterator[ReadableSpan]:
    """The spans of the files, as they are read; what is no span is named on stderr, with a bar for large files."""
    size = sum(path.stat().st_size for path in paths)
    with ExitStack() as shown:
        on_bytes: Callable[[int], object] = bool
        if progress and size >= _LARGE_BYTES:
            bar = click.progressbar(length=size, label="reading", file=sys.stderr, update_min_steps=_LARGE_BYTES // 16)
            on_bytes = shown.enter_context(bar).update
        for path in paths:
            for span in file.read(path, on_bytes):
                if isinstance(span, ValueError):
                    terminal.announce(f"left out: {span}")
                else:
                    yield span


def _follow(path: Path | None) -> Iterator[list[Node]]:
    """The traces of the file, or of the last run, and those that are added, each when its root is there."""
    held: list[ReadableSpan] = []
    for span in file.follow(lambda: [path] if path else _latest()):
        if span is not None:
            held.append(span)
            continue
        roots = {key_of(one)[0] for one in held if one.parent is None}
        yield from by_trace(one for one in held if key_of(one)[0] in roots)
        held = [one for one in held if key_of(one)[0] not in roots][-selection.HELD_SPANS :]


@commands.command(epilog=_examples("doctor", "doctor --json"))
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line instead of text: level, text, advice.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Find out why no traces arrive: looks at versions, settings and destinations, and sends each one a span.

    The exit code is 1 when spans do not arrive.
    """
    from agentops_otel.doctor import examine

    wrong = False
    for finding in examine(_config()):
        advice = f"\n       -> {finding.advice}" if finding.advice else ""
        click.echo(orjson.dumps(finding) if as_json else f"{finding.level:5}  {finding.text}{advice}")
        wrong |= finding.level == "wrong"
    context.exit(int(wrong))


@commands.command()
@click.option("--timeout", default=60.0, show_default=True, metavar="SECONDS", help="How long to try.")
def send(timeout: float) -> None:
    """Deliver the spans that earlier runs could not: those that wait on disk.

    The settings come from the environment, and say to which destination. The directories that programs named with
    spool_dir= are found. The exit code is 1 when spans still wait, or no destination is named.
    """
    config = _config()
    if all(destination.probe for destination in config.destinations):
        raise click.ClickException("no destination is named: set OTEL_EXPORTER_OTLP_ENDPOINT or AGENTOPS_API_KEY")
    sent, left, others = send_left_overs(config, timeout)
    spans = {destination.display_url for destination in config.destinations}
    for shown in sent:
        what = plural(sent[shown], "span" if shown in spans else "request")
        click.echo(f"{shown}: {what} sent, {left[shown] or 'none'} left")
    for place in others:
        click.echo(f"spans for other endpoints, headers or keys wait in {place}", err=True)
    sys.exit(int(left.total() > 0 or (bool(others) and not sent.total())))


@commands.command(
    epilog=_examples(
        "view",
        "view yesterday.jsonl",
        "view --otlp-port 4320 --jaeger http://localhost:16686   # beside Jaeger on 4318",
    )
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]...")
@click.option("--port", default=4319, show_default=True, metavar="PORT", help="Of the page; 0 takes a free one.")
@click.option(
    "--otlp-port", default=4318, show_default=True, metavar="PORT", help="Where spans are taken by OTLP/HTTP."
)
@click.option("--jaeger", metavar="URL", help="Jaeger's user interface: each run has a link to its trace there.")
def view(paths: tuple[Path, ...], port: int, otlp_port: int, jaeger: str | None) -> None:
    """Show runs on a page of this machine, as they arrive: those sent by OTLP, the trace files, and each FILE.

    Programs with the default settings send to it while it runs. Ctrl-C ends it; what came is there the next time.
    """
    from agentops_otel.view.live import LiveView, Store, files

    config = _config()
    links = {"Jaeger": f"{jaeger.rstrip('/')}/trace/{{trace}}"} if jaeger else {}
    for account in (destination.agentops for destination in config.destinations):
        links |= {"AgentOps": account.session_url("{trace}")} if account else {}
    store = Store(config.state_dir / "view.sqlite3", otlp_json)
    try:
        with LiveView(store, otlp_json, port=port, otlp_port=otlp_port, links=links) as live:
            click.echo(f"{live.url}\nspans are taken at {live.otlp_endpoint}; Ctrl-C ends this")
            while True:
                for path in (*trace_directory.trace_files(config.state_dir / trace_directory.DIRECTORY), *paths):
                    files.read_on(path, store, file.read_from, terminal.announce)
                time.sleep(file.FOLLOW_S)
    except OSError as error:
        raise click.ClickException(f"{error.strerror or error}: name other ports with --port and --otlp-port") from None
    except KeyboardInterrupt:
        pass
    finally:
        store.close()


def _config() -> Config:
    try:
        return read_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def _latest() -> list[Path]:
    directory = Config().state_dir / trace_directory.DIRECTORY
    files = trace_directory.latest_run(directory)
    if not files:
        raise click.ClickException(f"no trace file in {directory} yet: agentops-otel run app.py makes one")
    return files
