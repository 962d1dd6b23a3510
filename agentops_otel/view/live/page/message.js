// A message as a person reads it. Media are named, never loaded; an address is text.

import { element } from "./dom.js";
import { bytes } from "./format.js";

/**
 * @param {import("./dialogue.js").Message} message
 * @param {(id: string) => (Node | null)} [result] what a tool answered to the call of this id
 * @returns {HTMLElement}
 */
export function message({ role, parts }, result = () => null) {
  return element("div", { className: `message ${/^\w+$/.test(role) ? role : ""}` },
    element("b", {}, role || "message"), ...parts.map((one) => part(one, result)));
}

/** @param {any} said @param {(id: string) => (Node | null)} result */
function part(said, result) {
  switch (said?.type) {
    case "reasoning":
      return element("details", { className: "reasoning" }, element("summary", {}, "Reasoning"), text(said.content));
    case "tool_call":
    case "server_tool_call":
      return element("div", { className: "call" },
        element("b", {}, String(said.name ?? "tool")), text(said.arguments ?? said.server_tool_call), result(said.id));
    case "tool_call_response":
      return text(said.response ?? said.result);
    case "blob":
    case "uri":
    case "file":
      return element("p", { className: "medium" }, medium(said));
    default:
      return text(typeof said?.content === "string" ? said.content : said);
  }
}

/** @param {any} said */
function medium({ mime_type, modality, byte_size, uri, file_id }) {
  const facts = [mime_type ?? modality ?? "medium", Number.isFinite(byte_size) ? bytes(byte_size) : "", uri, file_id];
  return facts.filter(Boolean).join(", ");
}

/** @param {unknown} value */
export const text = (value) => element("pre", {}, typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? ""));
