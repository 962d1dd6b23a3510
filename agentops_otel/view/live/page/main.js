// Which view the address asks for, and its refreshing while runs arrive.

import * as api from "./api.js";
import * as compare from "./compare.js";
import * as conversation from "./conversation.js";
import { byId, element } from "./dom.js";
import * as help from "./help.js";
import * as run from "./run.js";
import * as runs from "./runs.js";
import * as totals from "./totals.js";

const PAUSE_MS = 300;
const AGAIN_MS = 2000;
/** @type {() => Promise<void>} */
let refresh = async () => {};
let asked = "";

/** Show what `#/?filters` or `#/<view>/<trace>` names. */
async function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, view = "", trace, span] = path.split("/");
  // Each view has a place of its own: what an earlier one still waits for is written nowhere.
  const place = element("div");
  const mine = (asked = location.hash);
  const next = await show(view, place, trace, span ?? "", new URLSearchParams(query));
  if (asked !== mine) return;
  const focused = document.activeElement?.id;
  refresh = next;
  byId("main").replaceChildren(place);
  byId("main").dataset.shown = mine;
  for (const [id, name] of [["to-runs", ""], ["to-totals", "totals"]]) {
    /** @type {HTMLAnchorElement} */ (byId(id)).href = `#/${name}?${view === "" || view === "totals" ? query : ""}`;
    byId(id).ariaCurrent = view === name ? "page" : null;
  }
  if (focused) document.getElementById(focused)?.focus();
}

/**
 * @param {string} view
 * @param {HTMLElement} place
 * @param {string} trace
 * @param {string} span
 * @param {URLSearchParams} wanted
 */
function show(view, place, trace, span, wanted) {
  // Replaced, so that the way back is out of the run, not through its spans; and nothing is drawn anew.
  const remember = (/** @type {string} */ id, /** @type {URLSearchParams} */ next) =>
    history.replaceState(null, "", `#/run/${trace}/${id}${next.size ? `?${next}` : ""}`);
  const go = (/** @type {URLSearchParams} */ next) => { location.hash = `${location.hash.split("?")[0] || "#/"}?${next}`; };
  switch (view) {
    case "run": return run.show(place, trace, span, wanted, remember);
    case "conversation": return conversation.show(place, trace);
    case "compare": return compare.show(place, [trace, span], wanted, go);
    case "totals": return totals.show(place, wanted, go);
    default: return runs.show(place, wanted, go);
  }
}

/** For ever: bring the view up to date when something has arrived. */
async function follow() {
  const state = byId("state");
  for (let version = 0; ; ) {
    try {
      const next = await api.changes(version);
      state.textContent = "live";
      if (next > version) await refresh();
      version = next;
      await pause(PAUSE_MS);
    } catch {
      state.textContent = "not connected";
      await pause(AGAIN_MS);
    }
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  const { target } = event;
  const typing = (target instanceof HTMLInputElement && target.type !== "checkbox") || target instanceof HTMLSelectElement;
  if ((event.key === "?" && !typing) || (event.key === "Escape" && help.isOpen())) help.toggle();
  else if (!help.isOpen()) pressed(event, typing);
});

/** @param {KeyboardEvent} event @param {boolean} typing */
function pressed(event, typing) {
  if (event.key === "/" && !typing) { event.preventDefault(); document.getElementById("text")?.focus(); }
  if (event.key === "Escape" && !typing) location.hash = "#/";
  // A key that is pressed nowhere is the view's.
  if (event.target === document.body && !event.ctrlKey && !event.metaKey && !event.altKey) {
    byId("main").firstElementChild?.dispatchEvent(new KeyboardEvent("keydown", { key: event.key }));
  }
}
const all = api.isSaved && !location.hash ? await api.runs(new URLSearchParams()) : [];
if (all.length === 1) history.replaceState(null, "", `#/run/${all[0].trace}`);
await route();
if (api.isSaved) byId("state").textContent = "saved";
else follow();
