// Which view the address asks for, and its refreshing while runs arrive.

import * as api from "./api.js";
import { byId } from "./dom.js";
import * as run from "./run.js";
import * as runs from "./runs.js";

const PAUSE_MS = 300;
const AGAIN_MS = 2000;
/** @type {() => Promise<void>} */
let refresh = async () => {};

/** Show what `#/?filters` or `#/run/<trace>/<span>` names. */
async function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, view, trace, span] = path.split("/");
  const main = byId("main");
  const wanted = new URLSearchParams(query);
  const go = (/** @type {URLSearchParams} */ next) => { location.hash = `#/?${next}`; };
  // Replaced, so that the way back is out of the run, not through its spans; and nothing is drawn anew.
  const select = (/** @type {string} */ id) => history.replaceState(null, "", `#/run/${trace}/${id}`);
  const focused = document.activeElement?.id;
  refresh = view === "run" ? await run.show(main, trace, span ?? "", select) : await runs.show(main, wanted, go);
  if (focused) document.getElementById(focused)?.focus();
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
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "/" && !typing) { event.preventDefault(); document.getElementById("text")?.focus(); }
  if (event.key === "Escape" && !typing) location.hash = "#/";
});
await route();
follow();
