// Two runs side by side: what each took, and step by step where they part.

import { pairs } from "./align.js";
import * as api from "./api.js";
import { element } from "./dom.js";
import { count, dollars, duration, moment, nanoseconds } from "./format.js";
import { details } from "./span.js";
import { windowed } from "./windowed.js";

const ROW_PX = 28;
/** @type {[string, (run: any) => number | null, (value: any) => string][]} */
const NUMBERS = [
  ["Time", (run) => run.duration, duration],
  ["Spans", (run) => run.spans.length, count],
  ["LLM calls", (run) => run.llm_calls, count],
  ["Tools", (run) => run.tools, count],
  ["Tokens in", (run) => run.input_tokens, count],
  ["Tokens out", (run) => run.output_tokens, count],
  ["Cost", (run) => run.cost, dollars],
  ["Errors", (run) => run.errors, count],
];

/**
 * @param {HTMLElement} place
 * @param {[string, string]} traces
 * @param {URLSearchParams} wanted `only=1` shows only what differs
 * @param {(wanted: URLSearchParams) => void} go
 * @returns {Promise<() => Promise<void>>} what brings it up to date
 */
export async function show(place, traces, wanted, go) {
  const [left, right] = await Promise.all(traces.map((trace) => api.run(trace)));
  if (!left || !right) {
    place.replaceChildren(element("p", { className: "empty" }, "One of these runs is not here."));
    return async () => {};
  }
  const all = pairs(left.spans, right.spans);
  const shown = wanted.get("only") ? all.filter((one) => one.differs) : all;
  const parted = all.find((one) => one.differs);
  const box = element("div", { className: "pairs", role: "listbox", tabIndex: 0, id: "pairs", "aria-label": "Steps of both" });
  const beside = element("section", { className: "span both", tabIndex: 0, "aria-label": "The step in both" });
  let selected = parted ? shown.indexOf(parted) : 0;
  /** @type {import("./windowed.js").Windowed<import("./align.js").Pair>} */
  const list = windowed(box, box, { tag: "div", height: () => ROW_PX, row: (one, index) => row(one, index, index === selected, one === parted) });
  const choose = (/** @type {number} */ index) => {
    if (!shown[index]) return;
    selected = index;
    list.show(shown);
    list.reveal(index);
    box.setAttribute("aria-activedescendant", `pair-${index}`);
    beside.replaceChildren(...[shown[index].left, shown[index].right].map((step, side) =>
      element("div", {}, element("b", {}, side ? "Second" : "First"), ...(step ? details(step.span) : [element("p", { className: "empty" }, "No such step.")]))));
  };
  box.addEventListener("click", (/** @type {any} */ event) => choose(Number(event.target.closest("[role=option]")?.dataset.index ?? -1)));
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step) { event.preventDefault(); choose(selected + step); }
  });
  const only = element("label", {}, element("input", { type: "checkbox", id: "only", checked: Boolean(wanted.get("only")),
    on: { change: (/** @type {any} */ event) => go(new URLSearchParams(event.target.checked ? { only: "1" } : {})) } }), " only what differs");
  place.replaceChildren(numbers(left, right), element("div", { className: "tools" },
    element("span", {}, parted ? `They part at ${(parted.left ?? parted.right)?.span.name || "(no name)"}.` : "They say the same, step by step."), only),
    element("div", { className: "columns" }, box, beside));
  list.show(shown);
  choose(selected);
  return async () => {};
}

/** @param {import("./align.js").Pair} pair @param {number} index @param {boolean} selected @param {boolean} parted */
function row({ left, right, differs }, index, selected, parted) {
  const kind = !left ? "right-only" : !right ? "left-only" : differs ? "differs" : "";
  const made = element("div", { className: ["pair", kind, parted ? "parted" : ""].filter(Boolean).join(" "), role: "option", id: `pair-${index}`, "aria-selected": String(selected) },
    ...[left, right].map((step) => {
      if (!step) return element("span", { className: "missing" }, "–");
      const { span } = step;
      const name = element("span", { className: `name ${span.role}${span.error ? " failed" : ""}` }, span.name || "(no name)");
      name.style.paddingLeft = `${Math.min(step.depth, 20) * 12}px`;
      return element("span", { className: "half" }, name, element("span", { className: "time" }, duration(nanoseconds(span))));
    }));
  made.dataset.index = String(index);
  return made;
}

/** @param {api.Told} left @param {api.Told} right */
function numbers(left, right) {
  const runs = [left, right];
  return element("div", { className: "frame-x" }, element("table", { className: "compared" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Run"), ...NUMBERS.map(([name]) => element("th", { scope: "col", className: "number" }, name)))),
    element("tbody", {}, ...runs.map((run) => element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `#/run/${run.trace}` }, run.name || "(no name)"), ` ${moment(run.start)}`),
      ...NUMBERS.map(([, value, told]) => element("td", { className: "number" }, told(value(run)))))),
    element("tr", {}, element("th", { scope: "row" }, "Difference"), ...NUMBERS.map(([, value, told]) => element("td", { className: "number" }, difference(value(left), value(right), told)))))));
}

/** @param {number | null} before @param {number | null} after @param {(value: any) => string} told */
function difference(before, after, told) {
  if (before === null || after === null || before === after) return "";
  const sign = after > before ? "+" : "−";
  const part = before > 0 ? ` (${sign}${Math.round((100 * Math.abs(after - before)) / before)}%)` : "";
  return `${sign}${told(Math.abs(after - before))}${part}`;
}
