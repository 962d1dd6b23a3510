// A whole run as one dialogue: what was said to the model, what it answered, what its tools gave back.

import * as api from "./api.js";
import { results, steps } from "./dialogue.js";
import { element } from "./dom.js";
import { count, dollars, duration, nanoseconds } from "./format.js";
import { message, text } from "./message.js";
import { heading } from "./heading.js";

/**
 * @param {HTMLElement} place
 * @param {string} trace
 * @returns {Promise<() => Promise<void>>} what brings it up to date
 */
export async function show(place, trace) {
  const refresh = async () => {
    const run = await api.run(trace);
    if (run === null) { place.replaceChildren(element("p", { className: "empty" }, "This run is not here.")); return; }
    const told = steps(run.spans);
    const answers = results(run.spans);
    const shown = told.length ? told.map((one) => step(one, trace, answers)) : [element("p", { className: "empty" }, "No model was called in this run.")];
    place.replaceChildren(...heading(run, "conversation"), element("div", { className: "dialogue" }, ...shown));
  };
  await refresh();
  return refresh;
}

/**
 * @param {import("./dialogue.js").Step} step
 * @param {string} trace
 * @param {Map<string, import("./dialogue.js").Result>} answers
 */
function step({ span, said, answered }, trace, answers) {
  const called = new Set();
  const result = (/** @type {string} */ id) => {
    const found = answers.get(id);
    called.add(id);
    if (!found) return null;
    const from = found.span ? element("a", { href: `#/run/${trace}/${found.span.id}` }, "Result") : element("b", {}, "Result");
    return element("div", { className: "result" }, from,
      found.span?.error ? element("p", { className: "error" }, found.span.error) : null,
      found.response === undefined ? null : text(found.response));
  };
  // What a tool answered stands where the tool was called.
  const isShown = (/** @type {any} */ part) => part?.type === "tool_call_response" && answers.has(part.id);
  const news = said.map((one) => ({ ...one, parts: one.parts.filter((part) => !isShown(part)) })).filter((one) => one.parts.length);
  return element("article", { className: "step" },
    element("h2", {}, element("a", { href: `#/run/${trace}/${span.id}` }, span.name || "(no name)"), element("small", {}, facts(span))),
    ...news.map((one) => message(one, result)),
    ...answered.map((one) => message(one, result)),
    span.error ? element("p", { className: "error" }, span.error) : null,
    said.length + answered.length === 0 ? element("p", { className: "empty" }, "Nothing that was said is recorded.") : null);
}

/** @param {import("./api.js").Span} span */
function facts(span) {
  const [input, output] = ["input", "output"].map((kind) => span.attributes[`gen_ai.usage.${kind}_tokens`]);
  return [
    span.model && !span.name.includes(span.model) ? span.model : "",
    typeof input === "number" ? `${count(input)} tokens in` : "",
    typeof output === "number" ? `${count(output)} out` : "",
    dollars(span.cost),
    duration(nanoseconds(span)),
  ].filter(Boolean).join(" · ");
}
