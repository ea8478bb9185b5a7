// Block Markdown: paragraphs, headings, fences, lists, tables, quotes. Builds nodes, not HTML.
import { el } from "./dom.js";
import { inline } from "./inline.js";

const MAX_DEPTH = 8;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])\s*(?:\1\s*){2,}$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)/;
const DELIMITERS = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const INDENTED = /^ {4}/;

/** Nodes for a message. */
export function markdown(text) {
  return blocks(text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n"), 0);
}

function blocks(lines, depth) {
  if (depth > MAX_DEPTH) return [el("p", {}, lines.join("\n"))];
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [node, next] = block(lines, at, depth);
    nodes.push(node);
    at = next;
  }
  return nodes;
}

function block(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return fence(lines, at);
  if (RULE.test(line)) return [el("hr"), at + 1];
  const heading = HEADING.exec(line);
  // Headings in messages rank below the page's own headings.
  if (heading) return [el("p", { className: "heading", role: "heading", "aria-level": Math.min(heading[1].length + 3, 6) }, inline(heading[2])), at + 1];
  if (QUOTE.test(line)) return quote(lines, at, depth);
  if (ITEM.test(line)) return list(lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  if (INDENTED.test(line)) return indented(lines, at);
  return paragraph(lines, at);
}

function begins(lines, at) {
  const line = lines[at];
  const item = ITEM.exec(line);
  return FENCE.test(line) || RULE.test(line) || HEADING.test(line) || QUOTE.test(line) || Boolean(item && item[3]) || isTable(lines, at);
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines, end)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trim()).join("\n");
  return [el("p", {}, inline(text)), end];
}

function fence(lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  const closes = (line) => line.trim().startsWith(mark) && !line.trim().replaceAll(mark[0], "");
  let end = at + 1;
  while (end < lines.length && !closes(lines[end])) end += 1;
  return [el("pre", { tabindex: 0 }, el("code", {}, lines.slice(at + 1, end).join("\n"))), end + 1];
}

function indented(lines, at) {
  let end = at;
  while (end < lines.length && (INDENTED.test(lines[end]) || !lines[end].trim())) end += 1;
  const code = lines.slice(at, end).map((line) => line.replace(INDENTED, "")).join("\n").trimEnd();
  return [el("pre", { tabindex: 0 }, el("code", {}, code)), end];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || !begins(lines, end))) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [el("blockquote", {}, blocks(inside, depth + 1)), end];
}

function list(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const node = el(ordered ? "ol" : "ul", ordered ? { start: parseInt(first[2], 10) } : {});
  const kind = first[2].slice(-1);
  while (at < lines.length) {
    const marker = ITEM.exec(lines[at]);
    if (!marker || RULE.test(lines[at]) || marker[2].slice(-1) !== kind || marker[1].length > first[1].length + 3) break;
    const [inside, next] = item(lines, at, marker);
    node.append(el("li", {}, tight(blocks(inside, depth + 1))));
    at = next;
  }
  return [node, at];
}

function item(lines, at, marker) {
  const width = marker[0].length;
  const inside = [lines[at].slice(width)];
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = lines[end];
    const indent = line.length - line.trimStart().length;
    if (!line.trim()) {
      if (!/^ +\S/.test(lines[end + 1] ?? "")) break;
      inside.push("");
    } else if (indent > marker[1].length) {
      inside.push(line.slice(Math.min(indent, width)));
    } else if (begins(lines, end) || !lines[end - 1].trim()) {
      break;
    } else {
      inside.push(line);
    }
  }
  while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] ?? "")) end += 1;
  return [inside, end];
}

/** Unwraps the only paragraph of a list item. */
function tight(nodes) {
  if (nodes[0]?.tagName !== "P" || nodes[0].className) return nodes;
  return [...nodes[0].childNodes, ...nodes.slice(1)];
}

function isTable(lines, at) {
  return lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && DELIMITERS.test(lines[at + 1])
    && cells(lines[at]).length === cells(lines[at + 1]).length;
}

function table(lines, at) {
  const sides = cells(lines[at + 1]).map((cell) => `${cell.startsWith(":") ? "l" : ""}${cell.endsWith(":") ? "r" : ""}`);
  const row = (line, tag) => el("tr", {}, sides.map((side, index) => el(tag, { className: side ? `side-${side}` : null }, inline(cells(line)[index] ?? ""))));
  let end = at + 2;
  while (end < lines.length && lines[end].trim() && lines[end].includes("|")) end += 1;
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const node = el("table", {}, el("thead", {}, row(lines[at], "th")), el("tbody", {}, body));
  return [el("div", { className: "table", tabindex: 0 }, node), end];
}

function cells(line) {
  const found = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/);
  return found.map((cell) => cell.trim().replaceAll("\\|", "|"));
}
