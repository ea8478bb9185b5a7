// Shows who the window is signed in as, and switches to another person or opens a second window.
import { el } from "./dom.js";

/** `become(person)` switches this window. */
export function people(node, stage, me, become) {
  node.replaceChildren(
    el("span", { id: "you", className: "wide" }, "You are"),
    el("span", { className: "switch" }, stage.people.map((person) => choice(person, me, become))),
    el("span", { className: "second" }, "Second window:", stage.people.filter((person) => person !== me).map(secondWindow)),
  );
}

function choice(person, me, become) {
  return el("button", { type: "button", "aria-pressed": String(person === me), "data-person": person, onclick: () => person !== me && become(person) }, person);
}

function secondWindow(person) {
  return [" ", el("a", { href: `/?as=${person}`, target: "_blank", rel: "noopener", "aria-label": `Open a second window as ${person}` }, person)];
}
