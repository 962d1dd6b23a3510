// The list of runs, with its filters. The address holds them all, so that a view can be linked.

import * as api from "./api.js";
import { element } from "./dom.js";
import { count, dollars, duration, moment } from "./format.js";

/** @typedef {[sort: string, heading: string, cell: (run: api.Run) => string, kind?: string]} Column */
/** @type {Column[]} */
const COLUMNS = [
  ["start", "Time", (run) => moment(run.start)],
  ["service", "Service", (run) => run.service],
  ["name", "Name", (run) => run.name],
  ["duration", "Duration", (run) => duration(run.duration), "number"],
  ["llm_calls", "LLM calls", (run) => count(run.llm_calls), "number"],
  ["tools", "Tools", (run) => count(run.tools), "number"],
  ["input_tokens", "Tokens in", (run) => count(run.input_tokens), "number"],
  ["output_tokens", "out", (run) => count(run.output_tokens), "number"],
  ["", "cached", (run) => count(run.cached_tokens), "number"],
  ["cost", "Cost", (run) => dollars(run.cost), "number"],
  ["errors", "Errors", (run) => (run.errors ? count(run.errors) : ""), "number error"],
  ["", "Tags", (run) => run.tags.join(", ")],
  ["", "Session", (run) => run.session],
];
/** @type {[string, keyof api.Choices][]} */
const SELECTS = [["service", "services"], ["model", "models"], ["tool", "tool_names"], ["agent", "agents"], ["tag", "tags"]];

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} wanted
 * @param {(wanted: URLSearchParams) => void} go opens the list with other filters
 * @returns {Promise<() => Promise<void>>} what brings the list up to date
 */
export async function show(place, wanted, go) {
  const body = element("tbody");
  const empty = element("p", { className: "empty" });
  const refresh = async () => {
    const found = await api.runs(wanted);
    body.replaceChildren(...found.map(row));
    empty.textContent = found.length ? "" : "No runs. Send OTLP to http://localhost:4318, or run agentops-otel run app.py.";
  };
  place.replaceChildren(
    filters(wanted, await api.choices(), go),
    element("table", { className: "runs" }, element("thead", {}, element("tr", {}, ...COLUMNS.map((column) => head(column, wanted, go)))), body),
    empty,
  );
  await refresh();
  return refresh;
}

/** @param {api.Run} run */
function row(run) {
  const cells = COLUMNS.map(([, heading, text, kind = ""]) =>
    element("td", { className: kind }, heading === "Name" ? element("a", { href: `#/run/${run.trace}` }, run.name || "(no name)") : text(run)),
  );
  return element("tr", {}, ...cells);
}

/**
 * @param {Column} column
 * @param {URLSearchParams} wanted
 * @param {(wanted: URLSearchParams) => void} go
 */
function head([sort, heading, , kind = ""], wanted, go) {
  if (!sort) return element("th", { scope: "col", className: kind }, heading);
  const current = (wanted.get("sort") ?? "start") === sort;
  const up = current && wanted.get("order") === "up";
  const sorted = current ? (up ? "ascending" : "descending") : "none";
  const click = () => go(changed(wanted, { sort, order: current && !up ? "up" : "" }));
  return element("th", { scope: "col", className: kind, "aria-sort": sorted }, element("button", { type: "button", on: { click } }, heading));
}

/**
 * @param {URLSearchParams} wanted
 * @param {api.Choices} choices
 * @param {(wanted: URLSearchParams) => void} go
 */
function filters(wanted, choices, go) {
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    const box = event.target;
    go(changed(wanted, { [name]: box.type === "checkbox" ? (box.checked ? "1" : "") : box.value }));
  };
  const input = (/** @type {string} */ name, /** @type {string} */ label, /** @type {object} */ more) =>
    element("label", {}, `${label} `, element("input", { id: name, name, value: wanted.get(name) ?? "", on: { change: set(name) }, ...more }));
  const selects = SELECTS.filter(([name, list]) => choices[list].length || wanted.get(name)).map(([name, list]) => {
    const options = ["", ...choices[list]].map((value) =>
      element("option", { value, selected: value === (wanted.get(name) ?? "") }, value || "any"),
    );
    return element("label", {}, `${name} `, element("select", { id: name, on: { change: set(name) } }, ...options));
  });
  return element("form", { className: "filters", role: "search", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } },
    input("text", "text", { type: "search" }),
    ...selects,
    input("slower", "slower than (s)", { type: "number", min: "0", step: "any" }),
    input("dearer", "dearer than ($)", { type: "number", min: "0", step: "any" }),
    input("failed", "errors", { type: "checkbox", checked: wanted.get("failed") === "1" }),
  );
}

/**
 * @param {URLSearchParams} wanted
 * @param {Record<string, string>} changes empty takes a filter away
 */
function changed(wanted, changes) {
  const next = new URLSearchParams(wanted);
  for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
  return next;
}
