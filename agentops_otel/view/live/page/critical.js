// The critical path: the steps that would have made the run shorter, had they been.

/**
 * Backwards from the end: of the steps under one, the one that ended last, then the one that ended last before that began.
 * @param {import("./tree.js").Node[]} roots
 * @returns {Set<string>} the ids of the spans on it
 */
export function critical(roots) {
  const found = new Set();
  const waiting = [{ nodes: roots, until: Infinity }];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    let { until } = at;
    for (const node of [...at.nodes].sort((one, other) => other.end - one.end)) {
      const end = Math.min(node.end, at.until);
      if (end > until || node.begin >= until) continue;
      found.add(node.span.id);
      waiting.push({ nodes: node.children, until: end });
      until = node.begin;
    }
  }
  return found;
}
