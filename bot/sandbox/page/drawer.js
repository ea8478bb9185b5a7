// On narrow screens the channel list is a drawer. What it covers is inert while it is open.
import { el } from "./dom.js";

export const NARROW = matchMedia("(max-width: 44rem)");

const COVERED = ["guide", "scroll", "composer"];

const at = (id) => document.getElementById(id);

/** The button toggles it. Escape (see `closeDrawer`) and a press outside close it. */
export function drawer() {
  at("drawer").addEventListener("click", () => isOpen() ? closeDrawer() : open());
  document.addEventListener("pointerdown", ({ target }) => at("sidebar").contains(target) || at("drawer").contains(target) || closeDrawer());
  NARROW.addEventListener("change", () => closeDrawer());
}

/** Returns whether it was open. */
export function closeDrawer({ refocus = false } = {}) {
  const was = isOpen();
  set(false);
  if (was && refocus) at("drawer").focus();
  return was;
}

/** Marks the button when there are unread messages. */
export function markDrawer(unread) {
  const mark = at("drawer").querySelector(".dot");
  if (unread && !mark) at("drawer").append(el("span", { className: "dot" }, el("span", { className: "unseen" }, "unread")));
  if (!unread) mark?.remove();
}

function isOpen() {
  return at("drawer").getAttribute("aria-expanded") === "true";
}

function open() {
  set(true);
  at("sidebar").querySelector("[aria-current]")?.focus();
}

function set(open) {
  at("drawer").setAttribute("aria-expanded", String(open));
  document.body.classList.toggle("drawer", open);
  for (const id of COVERED) at(id).inert = open;
}
