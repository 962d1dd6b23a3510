// Spans as a tree, and the tree as lines: what is closed is not shown, what repeats is one line until it is opened.

/**
 * @typedef {import("./api.js").Span} Span
 * @typedef {{span: Span, begin: number, end: number, parent: Node | null, children: Node[]}} Node times are nanoseconds
 *   after the start of the run
 * @typedef {{id: string, depth: number, nodes: Node[], place: number, of: number}} Line several nodes where they repeat;
 *   it is the so-and-so-many-th of those beside it
 */

/** How many alike after each other are one line. */
const REPEATS = 4;
const FOLD = "fold-";

/** The roots. @param {Span[]} spans by start @returns {Node[]} */
export function tree(spans) {
  const origin = BigInt(spans[0]?.start ?? 0);
  const after = (/** @type {string} */ time) => Number(BigInt(time) - origin);
  const nodes = new Map(spans.map((span) => /** @type {[string, Node]} */ (
    [span.id, { span, begin: after(span.start), end: Math.max(after(span.end), after(span.start)), parent: null, children: [] }])));
  const roots = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parent ?? "");
    if (parent && !isAbove(node, parent)) {
      node.parent = parent;
      parent.children.push(node);
    } else {
      roots.push(node);
    }
  }
  return roots;
}

/** Whether a node is another one, or above it: a damaged file may have circles. @param {Node} node @param {Node} other */
function isAbove(node, other) {
  if (!node.children.length) return node === other;
  for (let at = /** @type {Node | null} */ (other); at; at = at.parent) if (at === node) return true;
  return false;
}

/** All nodes, parents first, without recursion, since a trace may be deep. @param {Node[]} roots */
export function* walk(roots) {
  const waiting = roots.map((node) => ({ node, depth: 0 })).reverse();
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    yield at;
    const depth = at.depth + 1;
    for (let index = at.node.children.length - 1; index >= 0; index--) waiting.push({ node: at.node.children[index], depth });
  }
}

/** The lines that are shown. @param {Node[]} roots @param {Set<string>} toggled ids of lines that are not as usual */
export function lines(roots, toggled) {
  /** @type {Line[]} */
  const shown = [];
  const waiting = folded(roots, 0).reverse();
  for (let line = waiting.pop(); line; line = waiting.pop()) {
    shown.push(line);
    if (isOpen(line, toggled)) waiting.push(...below(line).reverse());
  }
  return shown;
}

/** @param {Line} line */
export const hasMore = ({ nodes }) => nodes.length > 1 || nodes[0].children.length > 0;

/** Steps are open unless somebody has closed them, repeats are closed. @param {Line} line @param {Set<string>} toggled */
export const isOpen = (line, toggled) => hasMore(line) && (line.nodes.length > 1) === toggled.has(line.id);

/** Open what hides a node. @param {Node} node @param {Node[]} roots @param {Set<string>} toggled */
export function reveal(node, roots, toggled) {
  for (let at = /** @type {Node | null} */ (node); at; at = at.parent) {
    if (at !== node) toggled.delete(at.span.id);
    const beside = folded(at.parent?.children ?? roots, 0);
    const fold = beside.find((line) => line.nodes.length > 1 && line.nodes.includes(/** @type {Node} */ (at)));
    if (fold) toggled.add(fold.id);
  }
}

/** @param {Line} line */
function below({ nodes, depth }) {
  return nodes.length > 1 ? nodes.map((node, index) => single(node, depth + 1, index, nodes.length)) : folded(nodes[0].children, depth + 1);
}

/** @param {Node[]} nodes @param {number} depth @returns {Line[]} */
function folded(nodes, depth) {
  /** @type {Node[][]} */
  const groups = [];
  for (const node of nodes) {
    const last = groups[groups.length - 1];
    if (last && last[0].span.name === node.span.name && last[0].span.role === node.span.role) last.push(node);
    else groups.push([node]);
  }
  const parts = groups.flatMap((group) => (group.length < REPEATS ? group.map((node) => [node]) : [group]));
  return parts.map((part, index) => (part.length === 1 ? single(part[0], depth, index, parts.length)
    : { id: `${FOLD}${part[0].span.id}`, depth, nodes: part, place: index + 1, of: parts.length }));
}

/** @param {Node} node @param {number} depth @param {number} index @param {number} of @returns {Line} */
const single = (node, depth, index, of) => ({ id: node.span.id, depth, nodes: [node], place: index + 1, of });
