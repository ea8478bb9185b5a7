// The guided first minute: three things to try, each one press away from the composer.
import { el } from "./dom.js";

const KEPT = "welcome-closed";

/** `fill(suggestion)` puts a suggestion into the composer of the channel where it belongs. */
export function welcome(node, session, fill) {
  const { bot } = session.model.stage;
  const suggestions = [
    { text: `@${bot} standup`, place: "dev", why: "in a channel, starts a meeting called “standup”. The first time, the bot writes you privately to connect a Zoom account: follow its link." },
    { text: `/${bot} retro`, place: "dev", why: "does the same as a slash command: what only you should see is shown to you alone." },
    { text: "help", place: bot, why: "in a direct message to the bot, shows everything else." },
  ];
  const draw = () => {
    const closed = sessionStorage.getItem(KEPT) === "yes";
    const toggle = () => {
      sessionStorage.setItem(KEPT, closed ? "no" : "yes");
      draw();
      node.querySelector(".toggle").focus();
    };
    const button = el("button", { type: "button", className: "quiet toggle", "aria-expanded": String(!closed), onclick: toggle }, closed ? "Show the first minute" : "Hide");
    if (closed) node.replaceChildren(button);
    else node.replaceChildren(el("h2", {}, "Your first minute"), button, steps(suggestions, fill), after());
  };
  draw();
}

function steps(suggestions, fill) {
  return el("ol", {}, suggestions.map((one) => el("li", {}, el("button", { type: "button", className: "suggestion", onclick: () => fill(one) }, one.text), " ", one.why)));
}

function after() {
  return el("p", {}, "Then open the meeting’s link: it leads to Zoom’s side, where you start, join, leave and end it as anybody, and the post here follows.");
}
