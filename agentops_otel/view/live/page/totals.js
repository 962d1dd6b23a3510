// What the runs add up to, by day, model, tool and agent: as plots and as tables.

import * as api from "./api.js";
import { element } from "./dom.js";
import { changed, filters, head } from "./filters.js";
import { count, dollars, duration, plural } from "./format.js";
import { columns, range } from "./plot.js";
import { compared } from "./saved.js";

/** @typedef {import("./api.js").Total} Total */
/** @type {{kind: string, heading: string, noun: string}[]} */
const KINDS = [
  { kind: "day", heading: "Day", noun: "Runs" },
  { kind: "model", heading: "Model", noun: "Calls" },
  { kind: "tool", heading: "Tool", noun: "Calls" },
  { kind: "agent", heading: "Agent", noun: "Calls" },
];
/** @type {{sort: keyof Total, heading: string, cell: (total: Total) => string}[]} */
const NUMBERS = [
  { sort: "errors", heading: "Errors", cell: ({ errors, calls }) => (errors ? `${count(errors)} (${Math.ceil((100 * errors) / calls)}%)` : "") },
  { sort: "p50", heading: "p50", cell: ({ p50 }) => duration(p50) },
  { sort: "p95", heading: "p95", cell: ({ p95 }) => duration(p95) },
  { sort: "input_tokens", heading: "Tokens in", cell: (total) => count(total.input_tokens) },
  { sort: "output_tokens", heading: "out", cell: (total) => count(total.output_tokens) },
  { sort: "cost", heading: "Cost", cell: ({ cost }) => dollars(cost) },
];
const DAYS = 60;
const DAY_MS = 24 * 3600 * 1000;

/**
 * @param {HTMLElement} place
 * @param {URLSearchParams} wanted
 * @param {import("./filters.js").Go} go
 * @returns {Promise<() => Promise<void>>} what brings the numbers up to date
 */
export async function show(place, wanted, go) {
  const shown = element("div", { className: "totals" });
  const refresh = async () => {
    const found = await api.totals(wanted);
    const parts = KINDS.filter(({ kind }) => found[kind]?.length).map((one) => part(one, found[one.kind], wanted, go));
    shown.replaceChildren(...plots(found.day ?? []), ...parts);
    if (!parts.length) shown.append(element("p", { className: "empty" }, "No run is like this."));
  };
  // What was saved has the totals of all that is in the file.
  place.replaceChildren(...(api.isSaved ? [] : [filters(wanted, await api.choices(), go)]), shown);
  await refresh();
  return refresh;
}

/** @param {Total[]} days those that have runs, in their order */
function plots(days) {
  if (!days.length) return [];
  const all = everyDay(days);
  const span = `${all[0].name} to ${all[all.length - 1].name}`;
  /** @type {[string, (day: Total) => {value: number, bad?: number, text: string}][]} */
  const drawn = [
    ["Runs a day", ({ calls, errors }) => ({ value: calls, bad: errors, text: `${plural(calls, "run")}, ${count(errors)} with errors` })],
    ["Tokens a day", (day) => { const value = (day.input_tokens ?? 0) + (day.output_tokens ?? 0); return { value, text: count(value) }; }],
    ["Cost a day", ({ cost }) => ({ value: cost ?? 0, text: dollars(cost) || "unknown" })],
  ];
  return [element("div", { className: "plots" }, ...drawn.map(([label, value]) => {
    const values = all.map((day) => ({ name: day.name, ...value(day) }));
    const most = values.reduce((one, other) => (other.value > one.value ? other : one));
    return element("figure", {}, element("figcaption", {}, element("b", {}, label), ` ${span}, at most ${most.text}`), columns(`${label}, ${span}`, values));
  }))];
}

/** The last days without a gap. @param {Total[]} days @returns {Total[]} */
function everyDay(days) {
  const known = new Map(days.map((day) => [day.name, day]));
  const last = Date.parse(days[days.length - 1].name);
  const first = Math.max(Date.parse(days[0].name), last - (DAYS - 1) * DAY_MS);
  const all = [];
  for (let at = first; at <= last; at += DAY_MS) {
    const name = new Date(at).toISOString().slice(0, 10);
    all.push(known.get(name) ?? { name, calls: 0, errors: 0, p50: 0, p95: 0, input_tokens: null, output_tokens: null, cost: null });
  }
  return all;
}

/**
 * @param {{kind: string, heading: string, noun: string}} of
 * @param {Total[]} found
 * @param {URLSearchParams} wanted
 * @param {import("./filters.js").Go} go
 */
function part({ kind, heading, noun }, found, wanted, go) {
  const by = /** @type {keyof Total} */ (wanted.get("sort") ?? (kind === "day" ? "name" : "calls"));
  const up = wanted.get("order") === "up" ? 1 : -1;
  const rows = [...found].sort((one, other) => up * compared(one[by], other[by]));
  const slowest = Math.max(...found.map(({ p95 }) => p95));
  const heads = [{ sort: "name", heading }, { sort: "calls", heading: noun, kind: "number" }, ...NUMBERS.map((one) => ({ ...one, kind: "number" }))];
  return element("section", {}, element("h2", {}, `By ${kind}`), element("div", { className: "frame-x" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((one) => head(one, wanted, go, kind === "day" ? "name" : "calls")),
      element("th", { scope: "col", className: "plot" }, "Half to nearly all"))),
    element("tbody", {}, ...rows.map((total) => element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `#/?${changed(wanted, { ...only(kind, total.name), sort: "", order: "" })}` }, total.name)),
      element("td", { className: "number" }, count(total.calls)),
      ...NUMBERS.map(({ sort, cell }) => element("td", { className: sort === "errors" ? "number error" : "number" }, cell(total))),
      element("td", { className: "plot" }, range(total.p50, total.p95, slowest))))))));
}

/** The filters by which the runs of a row are found. @param {string} kind @param {string} name @returns {Record<string, string>} */
const only = (kind, name) => (kind === "day" ? { since: name, until: name } : { [kind]: name });
