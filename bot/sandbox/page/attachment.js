// Message attachments, which integrations add to posts.
import { el, link, safeAddress } from "./dom.js";
import { markdown } from "./markdown.js";
import { inline } from "./inline.js";

const NAMED_COLOURS = { good: "#2e7d32", warning: "#b26a00", danger: "#c62828" };
const HEX = /^#[0-9a-f]{3,8}$/i;

/** `press(actionId, option)` presses a button or chooses from a menu. */
export function attachment(given, { press, options }) {
  const node = el("section", { className: "attachment", "aria-label": given.fallback || given.title || "Attachment" });
  const colour = NAMED_COLOURS[given.color] ?? given.color;
  if (HEX.test(colour ?? "")) node.style.setProperty("--bar", colour);
  const parts = [author(given), title(given), given.text && el("div", { className: "text" }, markdown(given.text)), fields(given.fields), actions(given.actions, press, options), footer(given)];
  const shown = parts.filter(Boolean);
  if (!shown.length && given.fallback) shown.push(el("p", {}, given.fallback));
  node.append(...shown);
  return given.pretext ? el("div", {}, el("div", { className: "pretext" }, markdown(given.pretext)), node) : node;
}

function author(given) {
  if (!given.author_name) return null;
  return el("p", { className: "author" }, given.author_link ? link(given.author_link, given.author_name) : given.author_name);
}

function title(given) {
  if (!given.title) return null;
  if (!safeAddress(given.title_link)) return el("p", { className: "title" }, inline(given.title));
  return el("p", { className: "title" }, link(given.title_link, given.title));
}

function fields(given) {
  if (!given?.length) return null;
  const pairs = given.map((field) => el("div", { className: field.short ? "short" : "long" }, el("dt", {}, inline(field.title ?? "")), el("dd", {}, markdown(String(field.value ?? "")))));
  return el("dl", { className: "fields" }, pairs);
}

function footer(given) {
  return given.footer ? el("p", { className: "note" }, given.footer) : null;
}

function actions(given, press, options) {
  if (!given?.length) return null;
  const problem = el("p", { className: "problem", role: "alert" });
  const controls = given.map((action) => (action.type === "select" ? menu(action, press, options, problem) : button(action, press, problem)));
  return el("div", { className: "actions" }, controls, problem);
}

function button(action, press, problem) {
  const run = (event) => pressed(event.currentTarget, () => press(action.id, ""), problem);
  const style = action.style === "primary" || action.style === "good" ? "main" : action.style === "danger" ? "danger" : "";
  return el("button", { type: "button", className: style, disabled: Boolean(action.disabled), onclick: run }, action.name ?? "");
}

function menu(action, press, options, problem) {
  const run = (event) => event.currentTarget.value && pressed(event.currentTarget, () => press(action.id, event.target.value), problem);
  const choices = options(action).map((one) => el("option", { value: one.value, selected: one.value === action.default_option }, one.text));
  return el("select", { "aria-label": action.name, onchange: run }, el("option", { value: "" }, action.name), choices);
}

async function pressed(control, work, problem) {
  control.disabled = true;
  problem.textContent = "";
  try {
    await work();
  } catch (error) {
    problem.textContent = error.message;
  } finally {
    control.disabled = false;
  }
}
