// The steps of two runs side by side: which of one is which of the other, and where they part.

import { tree, walk } from "./tree.js";

/**
 * @typedef {{span: import("./api.js").Span, depth: number, key: string}} Step
 * @typedef {{left: Step | null, right: Step | null, differs: boolean}} Pair
 */

const MOST_CELLS = 4e6;
const SAID = ["gen_ai.output.messages", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "agentops.entity.output"];

/** @param {import("./api.js").Span[]} left by start @param {import("./api.js").Span[]} right @returns {Pair[]} */
export function pairs(left, right) {
  const [one, other] = [steps(left), steps(right)];
  let begin = 0;
  while (begin < Math.min(one.length, other.length) && one[begin].key === other[begin].key) begin++;
  let end = 0;
  while (end < Math.min(one.length, other.length) - begin && one[one.length - 1 - end].key === other[other.length - 1 - end].key) end++;
  const same = (/** @type {number} */ index, /** @type {number} */ from, /** @type {number} */ to) => pair(one[from + index], other[to + index]);
  return [
    ...one.slice(0, begin).map((_, index) => same(index, 0, 0)),
    ...common(one.slice(begin, one.length - end), other.slice(begin, other.length - end)),
    ...one.slice(one.length - end).map((_, index) => same(index, one.length - end, other.length - end)),
  ];
}

/** @param {import("./api.js").Span[]} spans @returns {Step[]} */
const steps = (spans) => [...walk(tree(spans))].map(({ node: { span }, depth }) => ({ span, depth, key: `${depth} ${span.role} ${kind(span)}` }));

/** A call of a model is the same step with another model. @param {import("./api.js").Span} span */
const kind = (span) => (span.role === "llm" ? span.attributes["gen_ai.operation.name"] : span.name);

/** @param {Step | null} left @param {Step | null} right @returns {Pair} */
const pair = (left, right) => ({ left, right, differs: !left || !right || said(left.span) !== said(right.span) });

/** What came of a step. @param {import("./api.js").Span} span */
const said = (span) => JSON.stringify([span.name, span.error, ...SAID.map((name) => span.attributes[name] ?? null)]);

/** The longest order of steps that both have, and what each has between. @param {Step[]} one @param {Step[]} other */
function common(one, other) {
  const width = other.length + 1;
  if (one.length * other.length > MOST_CELLS) return [...one.map((step) => pair(step, null)), ...other.map((step) => pair(null, step))];
  const longest = new Uint16Array((one.length + 1) * width);
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      const at = row * width + column;
      longest[at] = one[row].key === other[column].key ? longest[at + width + 1] + 1 : Math.max(longest[at + width], longest[at + 1]);
    }
  }
  const found = [];
  let [row, column] = [0, 0];
  while (row < one.length || column < other.length) {
    const at = row * width + column;
    if (row < one.length && column < other.length && one[row].key === other[column].key) found.push(pair(one[row++], other[column++]));
    else if (column >= other.length || (row < one.length && longest[at + width] >= longest[at + 1])) found.push(pair(one[row++], null));
    else found.push(pair(null, other[column++]));
  }
  return found;
}
