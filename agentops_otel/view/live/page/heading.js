// What stands above each view of a run: its name, its numbers, and the way to its other views.

import * as api from "./api.js";
import { element } from "./dom.js";
import { count, dollars, duration, moment, plural } from "./format.js";

const elsewhere = Object.entries(await api.links());
/** @type {[string, string][]} */
const VIEWS = [["run", "Tree"], ["conversation", "Conversation"]];

/** @param {api.Told} run @param {string} view which of them this is @returns {HTMLElement[]} */
export function heading(run, view) {
  const facts = [
    moment(run.start), run.service, duration(run.duration), plural(run.spans.length, "span"), plural(run.llm_calls, "LLM call"),
    run.input_tokens === null ? "" : `${count(run.input_tokens)} tokens in, ${count(run.output_tokens ?? 0)} out`,
    dollars(run.cost), run.tags.join(", "),
  ];
  const views = VIEWS.map(([name, text]) =>
    element("a", { href: `#/${name}/${run.trace}`, ...(name === view ? { "aria-current": "page" } : {}) }, text));
  return [
    element("h1", {}, run.name || "(no name)"),
    element("p", { className: "facts" }, facts.filter(Boolean).join(" · "),
      run.errors ? element("span", { className: "error" }, ` · ${plural(run.errors, "error")}`) : null),
    element("nav", { className: "views", "aria-label": "Views of the run" }, ...views, ...(api.isSaved ? [] : saves(run)),
      ...elsewhere.map(([name, address]) => element("a", { href: address.replace("{trace}", run.trace), rel: "noreferrer", target: "_blank" }, `Open in ${name}`))),
  ];
}

/** @param {api.Told} run */
const saves = ({ trace }) => [
  element("a", { href: `/api/html/${trace}`, download: `${trace}.html` }, "Save as HTML"),
  element("a", { href: `/api/otlp/${trace}`, download: `${trace}.jsonl` }, "Save as OTLP JSON"),
];
