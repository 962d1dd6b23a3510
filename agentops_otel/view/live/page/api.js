// What the server of the page answers, or the data that was saved with the page.

import { filtered, saved } from "./saved.js";

/**
 * @typedef {{id: string, parent: string | null, name: string, role: string, start: string, end: string,
 *   error: string | null, message: string | null, model: string | null,
 *   cost: number | null, attributes: Record<string, unknown>,
 *   events: {name: string, attributes: Record<string, unknown>}[]}} Span
 * @typedef {{trace: string, start: number, duration: number, name: string, service: string, session: string,
 *   spans: number, llm_calls: number, tools: number, input_tokens: number | null, output_tokens: number | null,
 *   cached_tokens: number | null, cost: number | null, errors: number, tags: string[], models: string[],
 *   tool_names: string[], agents: string[]}} Run
 * @typedef {Omit<Run, "spans"> & {spans: Span[]}} Told a run with all that it has
 * @typedef {{name: string, calls: number, errors: number, p50: number, p95: number, input_tokens: number | null,
 *   output_tokens: number | null, cost: number | null}} Total
 * @typedef {Record<"tags" | "models" | "tool_names" | "agents" | "services", string[]>} Choices
 */

/**
 * @param {string} path
 * @returns {Promise<any>} null where there is nothing of the kind
 */
async function get(path) {
  const answer = await fetch(path);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** Whether this is a file, without a server. */
export const isSaved = saved !== null;

/** @param {URLSearchParams} wanted @returns {Promise<Run[]>} */
export const runs = async (wanted) => (saved ? filtered(saved, wanted) : get(`/api/runs?${wanted}`));

/** @param {string} trace @returns {Promise<Told | null>} */
export const run = async (trace) => (saved ? (saved.runs[trace] ?? null) : get(`/api/runs/${encodeURIComponent(trace)}`));

/** By `day`, `model`, `tool` and `agent`. @param {URLSearchParams} wanted @returns {Promise<Record<string, Total[]>>} */
export const totals = async (wanted) => (saved ? saved.totals : get(`/api/totals?${wanted}`));

/** @returns {Promise<Choices>} */
export const choices = async () => (saved ? saved.choices : get("/api/choices"));

/** Other places that show a run: an address with `{trace}` in it, by name. @returns {Promise<Record<string, string>>} */
export const links = async () => (saved ? {} : get("/api/links"));

/** The number of changes, once there are more than *since*. @param {number} since @returns {Promise<number>} */
export const changes = (since) => get(`/api/changes?since=${since}`);
