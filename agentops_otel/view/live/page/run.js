// One run: its tree with a waterfall, and beside it the span that is selected.

import * as api from "./api.js";
import { element } from "./dom.js";
import { duration } from "./format.js";
import { heading } from "./heading.js";
import { details } from "./span.js";

/** @typedef {{span: api.Span, depth: number}} Row */

/**
 * @param {HTMLElement} place
 * @param {string} trace
 * @param {string} selected the id of a span; empty is the first
 * @param {(span: string) => void} select
 * @returns {Promise<() => Promise<void>>} what brings the run up to date
 */
export async function show(place, trace, selected, select) {
  const head = element("section", { className: "summary" });
  const tree = element("ol", { className: "tree", role: "tree", tabIndex: 0, "aria-label": "Spans" });
  const beside = element("section", { className: "span", "aria-live": "polite" });
  /** @type {Row[]} */
  let rows = [];

  const choose = (/** @type {string} */ id) => {
    const index = Math.max(rows.findIndex((row) => row.span.id === id), 0);
    if (!rows.length) return;
    selected = rows[index].span.id;
    for (const item of tree.children) item.setAttribute("aria-selected", String(item.dataset.id === selected));
    tree.children[index].scrollIntoView({ block: "nearest" });
    beside.replaceChildren(...details(rows[index].span));
  };
  tree.addEventListener("click", (/** @type {any} */ event) => {
    const item = event.target.closest("li");
    if (item) { choose(item.dataset.id); select(selected); }
  });
  tree.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = /** @type {Record<string, number>} */ ({ ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 })[event.key];
    const next = step && rows[rows.findIndex((row) => row.span.id === selected) + step];
    if (next) { event.preventDefault(); choose(next.span.id); select(selected); }
  });

  const refresh = async () => {
    const run = await api.run(trace);
    if (run === null) { place.replaceChildren(element("p", { className: "empty" }, "This run is not here.")); return; }
    rows = ordered(run.spans);
    head.replaceChildren(...heading(run, "run"));
    tree.replaceChildren(...rows.map((row) => line(row, run)));
    choose(selected);
  };
  place.replaceChildren(head, element("div", { className: "columns" }, tree, beside));
  await refresh();
  return refresh;
}

/**
 * Parents before their children, each level by start; without recursion, since a trace may be deep.
 * @param {api.Span[]} spans by start
 * @returns {Row[]}
 */
function ordered(spans) {
  const known = new Set(spans.map((span) => span.id));
  /** @type {Map<string, api.Span[]>} */
  const children = new Map();
  for (const span of spans) {
    const parent = span.parent !== null && span.parent !== span.id && known.has(span.parent) ? span.parent : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  /** @type {Row[]} */
  const rows = [];
  const waiting = (children.get("") ?? []).map((span) => ({ span, depth: 0 })).reverse();
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    rows.push(row);
    const depth = row.depth + 1;
    waiting.push(...(children.get(row.span.id) ?? []).map((span) => ({ span, depth })).reverse());
  }
  return rows;
}

/** @param {Row} row @param {api.Told} run */
function line({ span, depth }, run) {
  const begin = BigInt(run.spans[0].start);
  const bar = element("span", { className: "bar" });
  const length = Number(BigInt(span.end) - BigInt(span.start));
  bar.style.left = `${percent(Number(BigInt(span.start) - begin), run.duration)}%`;
  bar.style.width = `${percent(length, run.duration)}%`;
  const name = element("span", { className: "name" }, span.name || "(no name)");
  name.style.paddingLeft = `${Math.min(depth, 40) * 14}px`;
  const item = element("li", { className: `${span.role}${span.error ? " failed" : ""}`, role: "treeitem", "aria-level": String(depth + 1) },
    name, element("span", { className: "time" }, duration(length)), element("span", { className: "lane" }, bar));
  item.dataset.id = span.id;
  return item;
}

/** @param {number} part @param {number} whole */
const percent = (part, whole) => (whole > 0 ? Math.min(Math.max((100 * part) / whole, 0), 100) : 0);
