// The list of runs, with its filters; two of them can be chosen, to be seen side by side.

import * as api from "./api.js";
import { element } from "./dom.js";
import { filters, head } from "./filters.js";
import { count, dollars, duration, moment, shortMoment } from "./format.js";
import { windowed } from "./windowed.js";

/** @typedef {{sort: string, heading: string, cell: (run: api.Run) => string, kind?: string}} Column */
/** @type {Column[]} */
const COLUMNS = [
  { sort: "start", heading: "Time", cell: (run) => shortMoment(run.start), kind: "start" },
  { sort: "service", heading: "Service", cell: (run) => run.service, kind: "wide" },
  { sort: "name", heading: "Name", cell: (run) => run.name, kind: "title" },
  { sort: "duration", heading: "Duration", cell: (run) => duration(run.duration), kind: "number" },
  { sort: "llm_calls", heading: "LLM calls", cell: (run) => count(run.llm_calls), kind: "number wide" },
  { sort: "tools", heading: "Tools", cell: (run) => count(run.tools), kind: "number wide" },
  { sort: "input_tokens", heading: "Tokens in", cell: (run) => count(run.input_tokens), kind: "number wide" },
  { sort: "output_tokens", heading: "out", cell: (run) => count(run.output_tokens), kind: "number wide" },
  { sort: "cached_tokens", heading: "cached", cell: (run) => count(run.cached_tokens), kind: "number wide" },
  { sort: "cost", heading: "Cost", cell: (run) => dollars(run.cost), kind: "number" },
  { sort: "errors", heading: "Errors", cell: (run) => (run.errors ? count(run.errors) : ""), kind: "number error" },
  { sort: "", heading: "Tags", cell: (run) => run.tags.join(", "), kind: "wide" },
  { sort: "", heading: "Session", cell: (run) => run.session, kind: "wide" },
];
const [ROW_PX, NARROW_ROW_PX] = [30, 54];
const narrow = matchMedia("(max-width: 50em)");
const MOST = 2000;

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} wanted
 * @param {import("./filters.js").Go} go
 * @returns {Promise<() => Promise<void>>} what brings the list up to date
 */
export async function show(place, wanted, go) {
  const body = element("tbody");
  const empty = element("p", { className: "empty", role: "status" });
  const heads = element("thead", {}, element("tr", {},
    element("th", { scope: "col", className: "pick" }, element("span", { className: "unseen" }, "Compare")),
    ...COLUMNS.map((column) => head(column, wanted, go, "start"))));
  const frame = element("div", { className: "frame", tabIndex: -1 }, element("table", { className: "runs" }, heads, body));
  const compare = element("a", { className: "button", hidden: true }, "Compare");
  /** @type {string[]} the one chosen first comes first */
  const picked = [];
  /** @type {api.Run[]} */
  let found = [];
  const pick = (/** @type {string} */ trace, /** @type {boolean} */ is) => {
    if (is) picked.push(trace); else picked.splice(picked.indexOf(trace), 1);
    if (picked.length > 2) picked.shift();
    compare.hidden = picked.length < 2;
    compare.href = `#/compare/${picked.join("/")}`;
    list.show(found);
  };
  /** @type {import("./windowed.js").Windowed<api.Run>} */
  const list = windowed(frame, body, { tag: "tr", height: () => (narrow.matches ? NARROW_ROW_PX : ROW_PX), row: (run) => row(run, picked, pick), top: () => heads.offsetHeight });
  place.addEventListener("keydown", (event) => walk(event, found, list));
  const refresh = async () => {
    found = await api.runs(wanted);
    list.show(found);
    empty.textContent = found.length >= MOST ? `The first ${count(MOST)}: a filter shows others.` : found.length ? ""
      : wanted.size ? "No run is like this." : "No runs yet. Send OTLP to http://localhost:4318, or run agentops-otel run app.py.";
  };
  place.replaceChildren(element("div", { className: "bar-of-filters" }, filters(wanted, await api.choices(), go), compare), frame, empty);
  await refresh();
  return refresh;
}

/** @param {api.Run} run @param {string[]} picked @param {(trace: string, is: boolean) => void} pick */
function row(run, picked, pick) {
  const name = run.name || "(no name)";
  const link = element("a", { href: `#/run/${run.trace}`, id: `run-${run.trace}`, title: name }, name);
  const box = element("input", { type: "checkbox", id: `pick-${run.trace}`, checked: picked.includes(run.trace), "aria-label": `Compare ${name}`,
    on: { change: (/** @type {any} */ event) => pick(run.trace, event.target.checked) } });
  return element("tr", {}, element("td", { className: "pick" }, box), ...COLUMNS.map(({ heading, cell, kind }) => {
    const text = cell(run);
    return element("td", { className: kind, title: heading === "Time" ? moment(run.start) : text }, heading === "Name" ? link : text);
  }));
}

/**
 * Down and up the list by key.
 * @param {KeyboardEvent} event @param {api.Run[]} found @param {import("./windowed.js").Windowed<api.Run>} list
 */
function walk(event, found, list) {
  const at = document.activeElement?.id ?? "";
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const inRow = /^(run|pick)-/.test(at);
  if (!step || (!inRow && event.target !== event.currentTarget)) return;
  const index = inRow ? found.findIndex((run) => at.endsWith(run.trace)) + step : 0;
  if (!found[index]) return;
  event.preventDefault();
  list.reveal(index);
  document.getElementById(`${at.startsWith("pick-") ? "pick" : "run"}-${found[index].trace}`)?.focus({ preventScroll: true });
}
