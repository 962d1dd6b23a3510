// Elements from data. Text is only ever text: nothing here parses HTML.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] of the element; `on` holds its listeners by event
 * @param {...(Node | string | null | undefined)} children
 * @returns {any} any, so that callers need not say which element a tag makes
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name.includes("-") || name === "role") {
      made.setAttribute(name, value);
    } else {
      /** @type {any} */ (made)[name] = value;
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) => child ?? ""));
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
