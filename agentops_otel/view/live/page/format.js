// Numbers as people read them. What is not known is an empty text.

/** @param {number} nanoseconds */
export function duration(nanoseconds) {
  const ms = nanoseconds / 1e6;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 60000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.floor(ms / 60000)} m ${Math.round((ms % 60000) / 1000)} s`;
}

/** How long a span took. @param {{start: string, end: string}} span */
export const nanoseconds = ({ start, end }) => Math.max(Number(BigInt(end) - BigInt(start)), 0);

/** @param {number | null} value */
export const count = (value) => (value === null ? "" : value.toLocaleString("en"));

/** `1 span`, `2 spans`. @param {number} number @param {string} noun */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** With as many digits as it needs. @param {number | null} usd */
export function dollars(usd) {
  if (usd === null) return "";
  return `$${usd.toFixed(usd >= 1 || usd === 0 ? 2 : usd >= 0.0001 ? 4 : 6)}`;
}

/** @param {number} size */
export const bytes = (size) => (size < 1000 ? `${size} bytes` : size < 1e6 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`);

/** @param {number} nanoseconds since the epoch */
export const moment = (nanoseconds) => new Date(nanoseconds / 1e6).toLocaleString();

/** Today by the clock, else with the day. @param {number} nanoseconds since the epoch */
export function shortMoment(nanoseconds) {
  const date = new Date(nanoseconds / 1e6);
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}
