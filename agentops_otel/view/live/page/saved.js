// The data of a page that was saved as one file: what a server would answer, and its filters.

/**
 * @typedef {import("./api.js").Run} Run
 * @typedef {{list: (Run & {day: string})[], runs: Record<string, import("./api.js").Told>, choices: import("./api.js").Choices,
 *   totals: Record<string, import("./api.js").Total[]>}} Saved
 */

const text = document.getElementById("saved")?.textContent;

/** @type {Saved | null} null where a server answers */
export const saved = text ? JSON.parse(text) : null;

/** @param {Saved} all @param {URLSearchParams} wanted @returns {Run[]} */
export function filtered(all, wanted) {
  const asked = (/** @type {string} */ name) => wanted.get(name) ?? "";
  const words = asked("text").toLowerCase().split(/\s+/).filter(Boolean);
  const has = (/** @type {string[]} */ list, /** @type {string} */ name) => !asked(name) || list.includes(asked(name));
  const found = all.list.filter((run) =>
    has([run.trace], "trace") && has(run.models, "model") && has(run.tool_names, "tool") && has(run.agents, "agent") && has(run.tags, "tag") && has([run.service], "service")
    && (!asked("since") || run.day >= asked("since")) && (!asked("until") || run.day <= asked("until"))
    && (!asked("failed") || run.errors > 0)
    && (!asked("slower") || run.duration >= Number(asked("slower")) * 1e9)
    && (!asked("dearer") || (run.cost ?? -1) >= Number(asked("dearer")))
    && (!words.length || says(all.runs[run.trace], words)));
  const sort = /** @type {keyof Run} */ (asked("sort") || "start");
  const up = asked("order") === "up" ? 1 : -1;
  return found.sort((one, other) => up * compared(one[sort], other[sort]));
}

/** @param {unknown} run @param {string[]} words */
function says(run, words) {
  const all = JSON.stringify(run).toLowerCase();
  return words.every((word) => all.includes(word));
}

/** Nothing is less than anything. @param {any} one @param {any} other */
export const compared = (one, other) => (one === other ? 0 : (one ?? -Infinity) < (other ?? -Infinity) ? -1 : 1);
