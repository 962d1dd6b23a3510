// Plots as SVG, drawn from numbers; each has its words beside it, in a table.

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

const [WIDTH, HEIGHT, GAP] = [600, 110, 0.2];

/**
 * A column for each of the values, in their order; what is bad of it in another colour.
 * @param {string} label
 * @param {{name: string, value: number, bad?: number, text: string}[]} values
 */
export function columns(label, values) {
  const most = Math.max(...values.map(({ value }) => value)) || 1;
  const step = WIDTH / values.length;
  const drawn = values.map(({ name, value, bad = 0, text }, index) => {
    const box = (/** @type {number} */ part, /** @type {string} */ kind) => svg("rect", {
      x: (index + GAP / 2) * step, width: step * (1 - GAP), y: HEIGHT * (1 - part / most), height: (HEIGHT * part) / most, class: kind });
    return svg("g", {}, svg("title", {}, `${name}: ${text}`), svg("rect", { x: index * step, width: step, y: 0, height: HEIGHT, class: "room" }),
      box(value, "column"), box(bad, "bad"));
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "columns-plot", preserveAspectRatio: "none" }, ...drawn);
}

/**
 * A line from where half are to where nearly all are.
 * @param {number} half @param {number} nearly @param {number} most what the whole width is
 */
export function range(half, nearly, most) {
  const at = (/** @type {number} */ value) => (most > 0 ? (100 * value) / most : 0);
  return svg("svg", { viewBox: "0 0 100 10", class: "range", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 3, width: at(half), height: 4, class: "half" }),
    svg("rect", { x: at(half), y: 4, width: Math.max(at(nearly) - at(half), 0.5), height: 2, class: "nearly" }));
}
