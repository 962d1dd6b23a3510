// What one span says: messages as a person reads them, then everything as it is.

import { messages, parsed } from "./dialogue.js";
import { element } from "./dom.js";
import { dollars, duration, nanoseconds } from "./format.js";
import { message, text } from "./message.js";

const MESSAGES = ["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"];
/** @type {[string, string][]} what was asked of a step of code, and what came of it */
const VALUES = [
  ["gen_ai.tool.call.arguments", "Arguments"], ["gen_ai.tool.call.result", "Result"],
  ["agentops.entity.input", "Input"], ["agentops.entity.output", "Output"],
];
const STACK = "exception.stacktrace";

/** @param {import("./api.js").Span} span @returns {HTMLElement[]} */
export function details(span) {
  const said = new Set([...MESSAGES, ...VALUES.map(([name]) => name)]);
  const rest = Object.entries(span.attributes).filter(([name]) => !said.has(name));
  return [
    element("h2", {}, span.name || "(no name)"),
    element("p", { className: "facts" }, [duration(nanoseconds(span)), dollars(span.cost)].filter(Boolean).join(" · ")),
    ...(span.error ? [element("p", { className: "error" }, span.error)] : []),
    ...span.events.filter((event) => STACK in event.attributes).map((event) =>
      element("details", { className: "stack" }, element("summary", {}, "Stack"), text(event.attributes[STACK]))),
    ...MESSAGES.flatMap((name) => messages(span.attributes[name]).map((one) => message(one))),
    ...VALUES.filter(([name]) => name in span.attributes).map(([name, label]) =>
      element("div", { className: "message" }, element("b", {}, label), text(parsed(span.attributes[name])))),
    ...span.events.map((event) => table(event.name, Object.entries(event.attributes).filter(([name]) => name !== STACK))),
    table("Attributes", rest),
  ];
}

/** @param {string} caption @param {[string, unknown][]} fields */
function table(caption, fields) {
  const rows = fields.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, ...breakable(name)), element("td", {}, text(short(parsed(value))))));
  return element("table", {}, element("caption", {}, caption), element("tbody", {}, ...rows));
}

/** A name that ends a line at its dots and underscores. @param {string} name */
const breakable = (name) => name.split(/(?<=[._])/).flatMap((part) => [part, element("wbr")]);

/** A list of words or numbers on one line. @param {unknown} value */
const short = (value) => (Array.isArray(value) && value.every((one) => typeof one !== "object") ? value.join(", ") : value);
