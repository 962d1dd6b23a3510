// A line of the tree: what it is, how long it took, and when.

import { element } from "./dom.js";
import { duration } from "./format.js";

const INDENT_PX = 14;
const DEEPEST = 40;

/**
 * @param {import("./tree.js").Line} line
 * @param {{selected: string, range: {from: number, to: number}, onPath: Set<string> | null, expanded: boolean | null}} how
 */
export function line({ id, depth, nodes, place, of }, { selected, range, onPath, expanded }) {
  const { span } = nodes[0];
  const times = nodes.length > 1 ? ` × ${nodes.length}` : "";
  const fold = element("span", { className: "fold", "aria-hidden": "true" }, expanded === null ? "" : expanded ? "▾" : "▸");
  const name = element("span", { className: "name", title: `${span.name}${times}` }, fold, `${span.name || "(no name)"}${times}`);
  name.style.paddingLeft = `${Math.min(depth, DEEPEST) * INDENT_PX}px`;
  const state = [span.role, nodes.some((node) => node.span.error) ? "failed" : "", !onPath ? "" : nodes.some((node) => onPath.has(node.span.id)) ? "on-path" : "off-path"];
  const took = nodes.reduce((sum, node) => sum + node.end - node.begin, 0);
  const made = element("div", { className: state.filter(Boolean).join(" "), id: `line-${id}`, role: "treeitem", "aria-level": String(depth + 1),
    "aria-selected": String(id === selected), "aria-posinset": String(place), "aria-setsize": String(of), ...(expanded === null ? {} : { "aria-expanded": String(expanded) }) },
    name, element("span", { className: "time" }, duration(took)), element("span", { className: "lane" }, ...bars(nodes, range)));
  made.dataset.id = id;
  return made;
}

/** One, or one for each repeat, as far as they can be told apart. @param {import("./tree.js").Node[]} nodes @param {{from: number, to: number}} range */
function bars(nodes, { from, to }) {
  const most = 100;
  const step = Math.ceil(nodes.length / most);
  const percent = (/** @type {number} */ time) => (to > from ? Math.min(Math.max((100 * (time - from)) / (to - from), 0), 100) : 0);
  return nodes.filter((_, index) => index % step === 0).filter(({ begin, end }) => end >= from && begin <= to).map(({ begin, end, span }) => {
    const bar = element("span", { className: span.error ? "bar bad" : "bar" });
    bar.style.left = `${percent(begin)}%`;
    bar.style.width = `${percent(end) - percent(begin)}%`;
    return bar;
  });
}
