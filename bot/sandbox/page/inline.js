// Inline Markdown: emphasis, code, links, mentions, escapes. Builds nodes, not HTML.
import { el, link, safeAddress } from "./dom.js";

const MAX_DEPTH = 12;
// The escapes that Mattermost's own clients support: fewer than CommonMark's.
const ESCAPABLE = /[\\`*_{}[\]()#+\-.!|~>]/;
const ADDRESS = /https?:\/\/[^\s<>"\u200b]*[^\s<>"\u200b.,:;!?'*_~)\]|]/iy;
const TARGET = /\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/y;
const ANGLED = /<(https?:\/\/[^\s<>]*)>/iy;
const MENTION = /@[a-z0-9][a-z0-9._-]*/iy;
const STYLES = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
];
const WORD = /[\p{L}\p{N}_]/u;

export function inline(text, depth = 0) {
  return new Line(text, depth).read();
}

class Line {
  constructor(text, depth) {
    Object.assign(this, { text, depth, at: 0, nodes: [], plain: "", missing: new Set() });
  }

  read() {
    if (this.depth > MAX_DEPTH) return [this.text];
    while (this.at < this.text.length) {
      if (!this.step()) this.plain += this.text[this.at++];
    }
    this.flush();
    return this.nodes;
  }

  step() {
    switch (this.text[this.at]) {
      case "\\": return this.escape();
      case "\n": return this.put(el("br"), 1);
      case "`": return this.code();
      case "!": return this.text[this.at + 1] === "[" && this.anchor(this.at + 1);
      case "[": return this.anchor(this.at);
      case "<": return this.angled();
      case "@": return this.mention();
      case "h": case "H": return this.address();
      case "*": case "_": case "~": return this.styled();
    }
    return false;
  }

  escape() {
    const next = this.text[this.at + 1];
    if (!next || !ESCAPABLE.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  code() {
    const fence = /`+/y.exec(this.text.slice(this.at))[0];
    const end = this.closingFence(fence);
    if (end < 0) {
      this.plain += fence;
      this.at += fence.length;
      return true;
    }
    const inside = this.text.slice(this.at + fence.length, end).replace(/\n/g, " ").replace(/^ (.*) $/, "$1");
    return this.put(el("code", {}, inside), end + fence.length - this.at);
  }

  closingFence(fence) {
    for (let from = this.at + fence.length; ; ) {
      const found = this.text.indexOf(fence, from);
      if (found < 0) return -1;
      const run = /`+/y.exec(this.text.slice(found))[0];
      if (run.length === fence.length) return found;
      from = found + run.length;
    }
  }

  /** `[words](address)`; images are shown as links, so that nothing is loaded from elsewhere. */
  anchor(bracket) {
    const close = this.closingBracket(bracket);
    if (close < 0) return false;
    TARGET.lastIndex = close + 1;
    const target = TARGET.exec(this.text);
    if (!target) return false;
    const words = this.text.slice(bracket + 1, close);
    const node = link(unescaped(target[1]), inline(words, this.depth + 1));
    return this.put(node, TARGET.lastIndex - this.at);
  }

  closingBracket(from) {
    let open = 0;
    if (!this.text.includes("]", from)) return -1;
    for (let at = from; at < this.text.length; at++) {
      const letter = this.text[at];
      if (letter === "\\") at++;
      else if (letter === "[") open++;
      else if (letter === "]" && --open === 0) return at;
    }
    return -1;
  }

  angled() {
    ANGLED.lastIndex = this.at;
    const found = ANGLED.exec(this.text);
    return Boolean(found && safeAddress(found[1])) && this.put(link(found[1], found[1]), found[0].length);
  }

  address() {
    if (WORD.test(this.text[this.at - 1] ?? "")) return false;
    ADDRESS.lastIndex = this.at;
    const found = ADDRESS.exec(this.text)?.[0];
    return Boolean(found && safeAddress(found)) && this.put(link(found, found), found.length);
  }

  mention() {
    if (WORD.test(this.text[this.at - 1] ?? "")) return false;
    MENTION.lastIndex = this.at;
    const found = MENTION.exec(this.text)?.[0].replace(/[.-]+$/, "");
    return Boolean(found) && this.put(el("span", { className: "mention" }, found), found.length);
  }

  styled() {
    for (const [mark, tag] of STYLES) {
      if (!this.text.startsWith(mark, this.at)) continue;
      const end = this.closing(mark);
      if (end < 0) continue;
      const inside = this.text.slice(this.at + mark.length, end);
      return this.put(el(tag, {}, inline(inside, this.depth + 1)), end + mark.length - this.at);
    }
    return false;
  }

  closing(mark) {
    const begin = this.at + mark.length;
    if (this.missing.has(mark) || /^\s?$/.test(this.text[begin] ?? "")) return -1;
    if (mark[0] === "_" && WORD.test(this.text[this.at - 1] ?? "")) return -1;
    for (let at = begin; at < this.text.length; at++) {
      if (this.text[at] === "\\") at++;
      else if (at > begin && this.text.startsWith(mark, at) && this.closes(mark, at)) return at;
    }
    this.missing.add(mark);
    return -1;
  }

  closes(mark, at) {
    if (/\s/.test(this.text[at - 1])) return false;
    const after = this.text[at + mark.length] ?? "";
    // A mark next to the same mark is half of a double one.
    if (mark.length === 1 && (after === mark || this.text[at - 1] === mark)) return false;
    // Of three marks, the last two close a double one.
    if (mark.length === 2 && after === mark[0]) return false;
    return mark[0] !== "_" || !WORD.test(after);
  }

  put(node, length) {
    this.flush();
    this.nodes.push(node);
    this.at += length;
    return true;
  }

  flush() {
    if (this.plain) this.nodes.push(this.plain);
    this.plain = "";
  }
}

function unescaped(text) {
  return text.replace(/\\([\\`*_{}[\]()#+\-.!|~>])/g, "$1");
}
