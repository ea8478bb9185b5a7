// Elements without markup: text from outside only ever becomes text.

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

/** The address if a person may be sent there, else null: http and https only. */
export function safeAddress(text) {
  try {
    const address = new URL(text);
    return address.protocol === "http:" || address.protocol === "https:" ? address.href : null;
  } catch {
    return null;
  }
}

/** A link that opens beside the chat; where the address is not safe, its text alone. */
export function link(address, ...children) {
  const href = safeAddress(address);
  if (!href) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Shows `nodes` by key: what is there already and unchanged stays, and keeps its focus. */
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
