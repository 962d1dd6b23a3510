// The times above the waterfall. Whoever draws over a part of it zooms into that.

import { element } from "./dom.js";
import { duration } from "./format.js";

const TICKS = 4;
const LEAST_PX = 5;

/**
 * @param {HTMLElement} place
 * @param {{from: number, to: number}} range
 * @param {(from: number, to: number) => void} zoom
 */
export function ruler(place, { from, to }, zoom) {
  const lane = element("span", { className: "lane" });
  for (let tick = 0; tick <= TICKS; tick++) {
    const mark = element("span", { className: "tick" }, duration(from + ((to - from) * tick) / TICKS));
    mark.style.left = `${(100 * tick) / TICKS}%`;
    lane.append(mark);
  }
  lane.addEventListener("pointerdown", (/** @type {PointerEvent} */ down) => {
    lane.setPointerCapture(down.pointerId);
    lane.addEventListener("pointerup", (/** @type {PointerEvent} */ up) => {
      const box = lane.getBoundingClientRect();
      const [first, last] = [down.clientX, up.clientX].sort((one, other) => one - other)
        .map((x) => from + ((to - from) * Math.min(Math.max(x - box.left, 0), box.width)) / box.width);
      if (Math.abs(up.clientX - down.clientX) >= LEAST_PX) zoom(first, last);
    }, { once: true });
  });
  place.replaceChildren(element("span", {}), element("span", {}), lane);
}
