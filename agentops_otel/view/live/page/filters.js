// Which runs are wanted. The address holds it all, so that a view can be linked.

import { element } from "./dom.js";

/** @typedef {(wanted: URLSearchParams) => void} Go opens the same view with other filters */
/** @typedef {import("./api.js").Choices} Choices */
/** @type {[string, keyof Choices][]} */
const SELECTS = [["service", "services"], ["model", "models"], ["tool", "tool_names"], ["agent", "agents"], ["tag", "tags"]];

/** On a phone all but the text are behind a button, until it is pressed. */
let unfolded = false;

/** @param {URLSearchParams} wanted @param {Choices} choices @param {Go} go */
export function filters(wanted, choices, go) {
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => {
    const box = event.target;
    go(changed(wanted, { [name]: box.type === "checkbox" ? (box.checked ? "1" : "") : box.value }));
  };
  const input = (/** @type {string} */ name, /** @type {string} */ label, /** @type {object} */ more) =>
    element("label", {}, `${label} `, element("input", { id: name, name, value: wanted.get(name) ?? "", on: { change: set(name) }, ...more }));
  const selects = SELECTS.filter(([name, list]) => choices[list].length || wanted.get(name)).map(([name, list]) => {
    const options = ["", ...choices[list]].map((value) =>
      element("option", { value, selected: value === (wanted.get(name) ?? "") }, value || "any"));
    return element("label", {}, `${name} `, element("select", { id: name, on: { change: set(name) } }, ...options));
  });
  const used = [...SELECTS.map(([name]) => name), "since", "until", "slower", "dearer", "failed"].filter((name) => wanted.get(name)).length;
  const unfold = (/** @type {any} */ event) => {
    unfolded = !unfolded;
    event.target.setAttribute("aria-expanded", String(unfolded));
  };
  return element("form", { className: "filters", role: "search", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } },
    input("text", "text", { type: "search" }),
    element("button", { type: "button", id: "more-filters", "aria-expanded": String(unfolded), on: { click: unfold } }, used ? `Filters (${used})` : "Filters"),
    ...selects,
    input("since", "from", { type: "date" }),
    input("until", "to", { type: "date" }),
    input("slower", "slower than (s)", { type: "number", min: "0", step: "any" }),
    input("dearer", "dearer than ($)", { type: "number", min: "0", step: "any" }),
    input("failed", "errors", { type: "checkbox", checked: wanted.get("failed") === "1" }));
}

/**
 * @param {URLSearchParams} wanted
 * @param {Record<string, string>} changes empty takes a filter away
 */
export function changed(wanted, changes) {
  const next = new URLSearchParams(wanted);
  for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
  return next;
}

/**
 * The head of a column: a button where the rows can be sorted by it.
 * @param {{sort: string, heading: string, kind?: string}} column
 * @param {URLSearchParams} wanted
 * @param {Go} go
 * @param {string} usual what the rows are sorted by if the address does not say
 */
export function head({ sort, heading, kind = "" }, wanted, go, usual) {
  if (!sort) return element("th", { scope: "col", className: kind }, heading);
  const current = (wanted.get("sort") ?? usual) === sort;
  const up = current && wanted.get("order") === "up";
  const sorted = current ? (up ? "ascending" : "descending") : "none";
  const click = () => go(changed(wanted, { sort, order: current && !up ? "up" : "" }));
  return element("th", { scope: "col", className: kind, "aria-sort": sorted },
    element("button", { type: "button", id: `sort-${sort}`, on: { click } }, heading));
}
