// Of many rows of one height, only those in view are in the page: thousands of them scroll as a few do.

import { element } from "./dom.js";

const SPARE = 8;

/**
 * @template Item
 * @typedef {{show: (items: Item[]) => void, reveal: (index: number) => void}} Windowed
 */

/**
 * @template Item
 * @param {HTMLElement} frame what scrolls
 * @param {HTMLElement} body what holds the rows
 * @param {{tag: string, height: () => number, row: (item: Item, index: number) => HTMLElement, top?: () => number}} made
 *   how rows are made and how high they are; `top` is how much of the frame something else covers
 * @returns {Windowed<Item>}
 */
export function windowed(frame, body, { tag, height, row, top = () => 0 }) {
  const above = element(tag, { className: "filler", role: "presentation", "aria-hidden": "true" });
  const below = element(tag, { className: "filler", role: "presentation", "aria-hidden": "true" });
  /** @type {Item[]} */
  let items = [];
  let shown = "";

  const draw = () => {
    const pixels = height();
    const first = Math.max(Math.floor(frame.scrollTop / pixels) - SPARE, 0);
    const last = Math.min(Math.ceil((frame.scrollTop + frame.clientHeight) / pixels) + SPARE, items.length);
    const drawn = `${first} ${last} ${pixels}`;
    if (shown === drawn) return;
    shown = drawn;
    const focused = body.contains(document.activeElement) ? document.activeElement?.id : "";
    above.style.height = `${first * pixels}px`;
    below.style.height = `${(items.length - last) * pixels}px`;
    const at = frame.scrollTop;
    body.replaceChildren(above, ...items.slice(first, last).map((item, index) => row(item, first + index)), below);
    frame.scrollTop = at; // the browser scrolls when what has the focus is taken away
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  frame.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(frame);
  return {
    show: (next) => { items = next; shown = ""; draw(); },
    reveal: (index) => {
      const [pixels, room] = [height(), frame.clientHeight - top()];
      const from = index * pixels;
      if (from < frame.scrollTop) frame.scrollTop = from;
      else if (from + pixels > frame.scrollTop + room) frame.scrollTop = from + pixels - room;
      draw();
    },
  };
}
