// The calls of a run as one dialogue: of each only the messages that are new since the ones before.

/**
 * @typedef {import("./api.js").Span} Span
 * @typedef {{role: string, parts: any[]}} Message
 * @typedef {{span: Span, said: Message[], answered: Message[]}} Step
 * @typedef {{response: unknown, span: Span | null}} Result of a tool, and the span that made it
 */

const TEXTS = ["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"];

/** @param {Span[]} spans by start @returns {Step[]} */
export function steps(spans) {
  const heard = new Set();
  /** @type {string[]} */
  let before = [];
  return calls(spans).map((span) => {
    const [system, input, answered] = TEXTS.map((name) => messages(span.attributes[name]));
    const asked = [...system.map((message) => ({ ...message, role: "system" })), ...input];
    const keys = asked.map(key);
    // Whatever stands before an answer that was heard is no news, however much of it a program leaves out.
    const answer = keys.findLastIndex((one, index) => asked[index].role === "assistant" && heard.has(one));
    const start = Math.max(answer + 1, same(before, keys));
    const said = asked.filter((message, index) => (message.role === "system" ? !heard.has(keys[index]) : index >= start));
    for (const one of [...keys, ...answered.map(key)]) heard.add(one);
    before = keys;
    return { span, said, answered };
  });
}

/**
 * What the tools answered, by the id of the call: from the messages that follow, else from the tool's own span.
 * @param {Span[]} spans
 * @returns {Map<string, Result>}
 */
export function results(spans) {
  /** @type {Map<string, Result>} */
  const found = new Map();
  for (const span of spans) {
    const id = span.attributes["gen_ai.tool.call.id"];
    if (typeof id === "string") found.set(id, { response: parsed(span.attributes["gen_ai.tool.call.result"]), span });
  }
  for (const span of spans) {
    for (const message of messages(span.attributes["gen_ai.input.messages"])) {
      for (const part of message.parts) {
        if (part?.type !== "tool_call_response" || typeof part.id !== "string") continue;
        found.set(part.id, { response: part.response ?? part.result, span: found.get(part.id)?.span ?? null });
      }
    }
  }
  return found;
}

/** Messages as the conventions have them, from JSON text or anything else. @param {unknown} value @returns {Message[]} */
export function messages(value) {
  const said = parsed(value);
  if (said === undefined || said === null) return [];
  const all = Array.isArray(said) ? said : [said];
  // Instructions are parts without a message around them.
  if (all.length && all.every((one) => one?.role === undefined)) return [{ role: "system", parts: all }];
  return all.map((one) => ({ role: String(one?.role ?? ""), parts: Array.isArray(one?.parts) ? one.parts : [one?.content ?? one] }));
}

/** JSON text as what it says; any other value as it is. @param {unknown} value @returns {any} */
export function parsed(value) {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Those that ask a model; of a client that asks by way of another only the outer. @param {Span[]} spans */
function calls(spans) {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const within = (/** @type {Span} */ span) => {
    const seen = new Set();
    for (let at = byId.get(span.parent ?? ""); at && !seen.has(at.id); at = byId.get(at.parent ?? "")) {
      if (at.role === "llm") return true;
      seen.add(at.id);
    }
    return false;
  };
  return spans.filter((span) => span.role === "llm" && !within(span));
}

/** What makes a message the same in an answer and in the next question. @param {Message} message */
function key({ role, parts }) {
  const told = parts.filter((part) => part?.type !== "reasoning").map((part) => part?.content ?? (part?.id ? [part.type, part.id] : part));
  return JSON.stringify([role, told]);
}

/** How many begin alike. @param {string[]} one @param {string[]} other */
function same(one, other) {
  const different = one.findIndex((value, index) => value !== other[index]);
  return different < 0 ? one.length : different;
}
