// What one span says: messages as a person reads them, then everything as it is.

import { element } from "./dom.js";

const MESSAGES = ["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"];

/** @param {import("./api.js").Span} span @returns {HTMLElement[]} */
export function details(span) {
  const rest = Object.entries(span.attributes).filter(([name]) => !MESSAGES.includes(name));
  return [
    element("h2", {}, span.name || "(no name)"),
    ...(span.error ? [element("p", { className: "error" }, [span.error, span.message].filter(Boolean).join(": "))] : []),
    ...MESSAGES.flatMap((name) => (name in span.attributes ? messages(parsed(span.attributes[name])) : [])),
    ...span.events.map((event) => table(event.name, Object.entries(event.attributes))),
    table("Attributes", rest),
  ];
}

/** @param {any} said @returns {HTMLElement[]} */
function messages(said) {
  return (Array.isArray(said) ? said : [said]).map((message) => {
    const parts = Array.isArray(message?.parts) ? message.parts : [message];
    return element("div", { className: "message" },
      element("b", {}, String(message?.role ?? "system")), ...parts.map((/** @type {any} */ part) => element("pre", {}, text(part))));
  });
}

/** @param {any} part */
function text(part) {
  if (typeof part?.content === "string") return part.content;
  if (part?.type === "tool_call") return `${part.name}(${shown(part.arguments)})`;
  if (part?.type === "tool_call_response") return shown(part.response);
  return shown(part);
}

/** @param {string} caption @param {[string, unknown][]} fields */
function table(caption, fields) {
  const rows = fields.map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, element("pre", {}, shown(parsed(value))))));
  return element("table", {}, element("caption", {}, caption), element("tbody", {}, ...rows));
}

/** @param {unknown} value */
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "");

/** JSON text as what it says; any other value as it is. @param {unknown} value */
function parsed(value) {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
