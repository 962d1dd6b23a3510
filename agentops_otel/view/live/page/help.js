// What the keys do: opened by `?`, or by the button beside the state.

import { byId, element } from "./dom.js";

/** @type {[string, [string, string][]][]} */
const KEYS = [
  ["Everywhere", [["?", "this help"], ["/", "search"], ["Esc", "back to the runs"]]],
  ["In a list", [["↓ j", "down"], ["↑ k", "up"], ["Enter", "open the run"], ["Space", "choose the run, on its box"]]],
  ["In a run", [
    ["← h", "close, or go up to the parent"], ["→ l", "open"], ["Page Down, Page Up", "20 lines on"], ["Home, End", "first, last"],
    ["z", "zoom into the step"], ["0", "the whole run"], ["p", "critical path"]]],
];

const close = element("button", { type: "button", on: { click: () => help.close() } }, "Close");
const help = element("dialog", { className: "help", "aria-labelledby": "keys" },
  element("h2", { id: "keys" }, "Keys"), close,
  ...KEYS.map(([where, keys]) => element("table", {}, element("caption", {}, where), element("tbody", {}, ...keys.map(([key, does]) =>
    element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, key)), element("td", {}, does)))))));

// In the page only while it is open.
help.addEventListener("close", () => help.remove());
byId("help").addEventListener("click", toggle);

/** Whether it is open: then no key is anybody else's. */
export const isOpen = () => help.isConnected;

/** Open it, or close it. */
export function toggle() {
  if (help.open) { help.close(); return; }
  document.body.append(help);
  help.showModal();
}
