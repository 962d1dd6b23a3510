// One run: its tree with a waterfall, and beside it the span that is selected.

import * as api from "./api.js";
import { critical } from "./critical.js";
import { element } from "./dom.js";
import { heading } from "./heading.js";
import { line } from "./line.js";
import { ruler } from "./ruler.js";
import { details } from "./span.js";
import { hasMore, isOpen, lines, reveal, tree, walk } from "./tree.js";
import { windowed } from "./windowed.js";

const ROW_PX = 26;
const PAGE_ROWS = 20;

/**
 * @param {HTMLElement} place
 * @param {string} trace
 * @param {string} selected the id of a line; empty is the first
 * @param {URLSearchParams} wanted `zoom`, two numbers, and `path`, in the address too
 * @param {(selected: string, wanted: URLSearchParams) => void} remember
 * @returns {Promise<() => Promise<void>>} what brings the run up to date
 */
export async function show(place, trace, selected, wanted, remember) {
  const head = element("section", { className: "summary" });
  const box = element("div", { className: "tree", role: "tree", tabIndex: 0, id: "tree", "aria-label": "Spans" });
  const scale = element("div", { className: "ruler" });
  const beside = element("section", { className: "span", "aria-live": "polite", tabIndex: 0, "aria-label": "Span" });
  const path = element("button", { type: "button", id: "path", title: "p", on: { click: () => set({ path: wanted.get("path") ? "" : "1" }) } }, "Critical path");
  const whole = element("button", { type: "button", id: "whole", title: "0", on: { click: () => set({ zoom: "" }) } }, "Whole run");
  const into = element("button", { type: "button", id: "into", title: "z", on: { click: () => zoom() } }, "Zoom into the step");
  /** @type {import("./tree.js").Node[]} */
  let roots = [];
  /** @type {import("./tree.js").Line[]} */
  let shown = [];
  const toggled = new Set();
  let [known, end] = ["", 0];
  let onPath = new Set();

  const range = () => {
    const [from, to] = (wanted.get("zoom") ?? "").split("-").map(Number);
    return to > from ? { from, to } : { from: 0, to: end };
  };
  /** @type {import("./windowed.js").Windowed<import("./tree.js").Line>} */
  const list = windowed(box, box, { tag: "div", height: () => ROW_PX, row: (one) =>
    line(one, { selected, range: range(), onPath: wanted.get("path") ? onPath : null, expanded: hasMore(one) ? isOpen(one, toggled) : null }) });
  const at = () => Math.max(shown.findIndex((one) => one.id === selected), 0);
  const draw = () => {
    shown = lines(roots, toggled);
    path.ariaPressed = String(Boolean(wanted.get("path")));
    whole.hidden = !wanted.get("zoom");
    ruler(scale, range(), (from, to) => set({ zoom: to > from ? `${Math.round(from)}-${Math.round(to)}` : "" }));
    list.show(shown);
  };
  const choose = (/** @type {number} */ index) => {
    const one = shown[Math.min(Math.max(index, 0), shown.length - 1)];
    if (!one) return;
    selected = one.id;
    list.show(shown);
    list.reveal(shown.indexOf(one));
    box.setAttribute("aria-activedescendant", `line-${selected}`);
    beside.replaceChildren(...details(one.nodes[0].span));
    beside.scrollTop = 0;
  };
  const set = (/** @type {Record<string, string>} */ changes) => {
    for (const [name, value] of Object.entries(changes)) value ? wanted.set(name, value) : wanted.delete(name);
    remember(selected, wanted);
    draw();
  };
  const zoom = () => {
    const { nodes } = shown[at()];
    set({ zoom: `${Math.round(nodes[0].begin)}-${Math.round(Math.max(...nodes.map((node) => node.end)))}` });
  };
  const toggle = (/** @type {string} */ id) => {
    toggled.has(id) ? toggled.delete(id) : toggled.add(id);
    draw();
    choose(at());
  };
  const go = (/** @type {number} */ index) => { choose(index); remember(selected, wanted); };
  /** Where the line above this one in the tree is. */
  const above = () => shown.findLastIndex((one, index) => index < at() && one.depth < shown[at()].depth);
  const left = () => (isOpen(shown[at()], toggled) ? toggle(selected) : go(above()));
  const right = () => (hasMore(shown[at()]) && !isOpen(shown[at()], toggled) ? toggle(selected) : go(at() + 1));
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => go(at() + 1), j: () => go(at() + 1), ArrowUp: () => go(at() - 1), k: () => go(at() - 1),
    PageDown: () => go(at() + PAGE_ROWS), PageUp: () => go(at() - PAGE_ROWS), Home: () => go(0), End: () => go(shown.length - 1),
    ArrowLeft: left, h: left, ArrowRight: right, l: right, z: zoom, 0: () => set({ zoom: "" }), p: () => path.click(),
  };
  box.addEventListener("click", (/** @type {any} */ event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    go(shown.findIndex((one) => one.id === item.dataset.id));
    if (event.target.closest(".fold")) toggle(selected);
  });
  place.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, select, summary, .span");
    if (!shown.length || typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  const refresh = async () => {
    const [about] = await api.runs(new URLSearchParams({ trace }));
    const now = JSON.stringify(about);
    if (about && now === known) return; // what arrived is of another run
    const run = about && await api.run(trace);
    if (!run) { place.replaceChildren(element("p", { className: "empty" }, "This run is not here.")); return; }
    known = now;
    roots = tree(run.spans);
    end = roots.length ? Math.max(...[...walk(roots)].map(({ node }) => node.end)) : 0;
    onPath = critical(roots);
    const node = [...walk(roots)].find((one) => one.node.span.id === selected)?.node;
    if (node) reveal(node, roots, toggled);
    head.replaceChildren(...heading(run, "run"));
    draw();
    choose(at());
  };
  place.replaceChildren(head, element("div", { className: "tools" }, path, into, whole),
    element("div", { className: "columns" }, element("div", { className: "waterfall" }, scale, box), beside));
  await refresh();
  return refresh;
}
