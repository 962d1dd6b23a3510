"""The line that `agentops-otel run` prints at the end: the totals of its processes, or why there are none."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from agentops_otel.launcher import Report, Run
from agentops_otel.view import cost
from agentops_otel.view.format import dollars, plural, tokens_text
from agentops_otel.view.session_totals import SessionTotals
from agentops_otel.view.tree import added, key_of


def describe(run: Run, program: str, read: Callable[[Path], Iterable[ReadableSpan]]) -> str:
    """One line for the end of the run.

    Args:
        run: The run.
        program: Its name.
        read: Gives the spans of a trace file: a process that was killed has left no totals.

    Example:
        `app: 2 LLM calls, 1 trace, 24→12 tok, $0.0012; agentops-otel show`
    """
    reports = [_counted(report, run, read) for report in run.reports()]
    begun, joined = sum(report.traces for report in reports), sum(report.joined for report in reports)
    seen = begun + joined > 0
    traces = 1 if run.parent else begun or joined
    facts = ", ".join(_totals(reports, traces)) if seen else f"nothing was traced: {_reason(reports)}"
    return "; ".join([f"{program}: {facts}", *_unfinished(reports), *_unreached(run), *_links(reports, seen)])


def _counted(report: Report, run: Run, read: Callable[[Path], Iterable[ReadableSpan]]) -> Report:
    """The report; with the totals of the process's own trace file if the process has not reported its end."""
    path = Path(report.trace_file or "")
    if report.ended or not path.name.startswith(run.name) or not path.exists():
        return report
    totals, whole, found = SessionTotals(), set[int](), set[int]()
    for span in read(path):
        totals.on_end(span)
        found.add(key_of(span)[0])
        if span.parent is None or span.parent.is_remote:
            whole.add(key_of(span)[0])
    counted = totals.report(report)
    # A trace whose root had not ended is one, too.
    return counted._replace(traces=counted.traces + len(found - whole), ended=True) if found else report


def _totals(reports: Sequence[Report], traces: int) -> Iterator[str]:
    yield plural(sum(report.llm_calls for report in reports), "LLM call")
    yield plural(traces, "trace")
    used = (added(report.input_tokens for report in reports), added(report.output_tokens for report in reports))
    if used != (None, None):
        yield tokens_text(*used)
    if (usd := added(_cost(report) for report in reports)) is not None:
        yield dollars(usd)
    if errors := sum(report.errors for report in reports):
        yield plural(errors, "error")


def _cost(report: Report) -> float | None:
    late = [(cost.price(attributes), times) for attributes, times in report.unpriced]
    return added([report.cost_usd, *(usd * times for usd, times in late if usd is not None)])


def _reason(reports: Sequence[Report]) -> str:
    """Why no process made a span."""
    clients = {client: version for report in reports for client, version in report.clients.items()}
    not_wrapped = {client for report in reports for client in report.not_wrapped}
    if not reports:
        return "no Python process was reached (one with -I, -E or -S, or a frozen program, is not)"
    if not clients:
        return "no LLM client was imported"
    if not_wrapped:
        named = " and ".join(f"{client}, {clients[client]}," for client in sorted(not_wrapped))
        return f"this version of {named} cannot be traced"
    packages = sorted({client.partition(".")[0] for client in clients})
    return f"{' and '.join(packages)} {'was' if len(packages) == 1 else 'were'} imported, and made no call"


def _unfinished(reports: Sequence[Report]) -> Iterator[str]:
    """The processes that have not reported their end."""
    if killed := sum(not report.ended for report in reports):
        yield f"{plural(killed, 'process')} ended without a report"


def _unreached(run: Run) -> Iterator[str]:
    for interpreter, processes in Counter(run.unreached()).items():
        yield f"{plural(processes, 'process')} of {interpreter} was not traced: the package is not installed there"

    for option, processes in Counter(run.isolated()).items():
        yield f"not traced: {plural(processes, 'Python process')} with {option}"


def _links(reports: Sequence[Report], seen: bool) -> Iterator[str]:
    if seen and any(report.trace_file for report in reports):
        yield "agentops-otel show"
