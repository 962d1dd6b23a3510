"""Spans as Jaeger's API returns them."""

from typing import Any

Row = tuple[str, str | None, str, bool]


def tags(span: dict[str, Any]) -> dict[str, Any]:
    """The span's attributes, kind and error, as Jaeger keeps them."""
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def rows(spans: list[dict[str, Any]]) -> list[Row]:
    """Name, parent's name, kind and whether it failed; every span without a warning, every parent there."""
    assert [span["warnings"] for span in spans] == [None] * len(spans)
    names = {span["spanID"]: span["operationName"] for span in spans}

    def row(span: dict[str, Any]) -> Row:
        parents = [names[r["spanID"]] for r in span["references"] if r["refType"] == "CHILD_OF"]
        parent = parents[0] if parents else None
        return span["operationName"], parent, tags(span)["span.kind"], tags(span).get("error", False)

    return sorted((row(span) for span in spans), key=str)
