// Numbers as people read them. What is not known is an empty text.

/** @param {number} nanoseconds */
export function duration(nanoseconds) {
  const ms = nanoseconds / 1e6;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 60000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.floor(ms / 60000)} m ${Math.round((ms % 60000) / 1000)} s`;
}

/** @param {number | null} value */
export const count = (value) => (value === null ? "" : value.toLocaleString("en"));

/** @param {number | null} usd */
export const dollars = (usd) => (usd === null ? "" : `$${usd < 0.01 ? usd.toFixed(6) : usd.toFixed(4)}`);

/** @param {number} nanoseconds since the epoch */
export const moment = (nanoseconds) => new Date(nanoseconds / 1e6).toLocaleString();
