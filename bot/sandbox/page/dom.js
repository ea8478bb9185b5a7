// Builds DOM nodes without HTML strings, so that foreign text is never parsed as HTML.

/** An element; `props` are attributes, `on…` listeners and the few properties below; children are nodes or text. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "disabled" || name === "checked") node[name] = value;
    else node.setAttribute(name === "className" ? "class" : name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

/** The address if it is http or https, else null. */
export function safeAddress(text) {
  try {
    const address = new URL(text);
    return address.protocol === "http:" || address.protocol === "https:" ? address.href : null;
  } catch {
    return null;
  }
}

/** A link that opens in a new window, or only its text if the address is not safe. */
export function link(address, ...children) {
  const href = safeAddress(address);
  if (!href) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Updates children by key: unchanged nodes stay in place and keep the focus. */
export function reconcile(list, items, keyOf, build) {
  const known = list.known ?? (list.known = new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, entry] of known) {
    if (!wanted.has(key)) {
      entry.node.remove();
      known.delete(key);
    }
  }
  let before = list.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let entry = known.get(key);
    if (!entry || entry.item !== item) {
      const node = build(item);
      if (entry) {
        if (before === entry.node) before = node;
        entry.node.replaceWith(node);
      }
      entry = { item, node };
      known.set(key, entry);
    }
    if (entry.node === before) before = before.nextSibling;
    else list.insertBefore(entry.node, before);
  }
}

/** Forgets what `reconcile` showed. */
export function clear(list) {
  list.known = new Map();
  list.replaceChildren();
}
