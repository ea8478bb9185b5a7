// The guide: three things to try, each put into the composer with one press. It stays above the messages and
// folds to one line once used.
import { el } from "./dom.js";
import { NARROW } from "./drawer.js";

const KEPT = "guide-folded";

export class Guide {
  /** `fill(suggestion)` puts a suggestion into the composer of the channel where it belongs. */
  constructor(node, session, fill) {
    Object.assign(this, { node, model: session.model, fill, drawn: "" });
    this.suggestions = suggestionsFor(this.model.stage.bot);
    this.model.addEventListener("change", () => this.draw());
    this.draw();
  }

  draw() {
    // Not needed where the bot's greeting says the same.
    const greeted = isBots(this.model);
    const folded = greeted || sessionStorage.getItem(KEPT) === "yes";
    if (this.drawn === `${greeted} ${folded}`) return;
    this.drawn = `${greeted} ${folded}`;
    this.node.classList.toggle("folded", folded);
    const shown = folded ? [el("span", { className: "note" }, "Try"), ...this.suggestions.map((one) => this.chip(one))] : [el("h2", {}, "Your first minute"), this.steps()];
    this.node.replaceChildren(...shown, ...(greeted ? [] : [this.toggle(folded)]));
  }

  fold(folded) {
    sessionStorage.setItem(KEPT, folded ? "yes" : "no");
    this.draw();
  }

  /** A suggestion was used: on small screens the guide makes way for the answer. */
  used() {
    if (NARROW.matches) this.fold(true);
  }

  toggle(folded) {
    const press = () => {
      this.fold(!folded);
      this.node.querySelector(".toggle").focus();
    };
    return el("button", { type: "button", className: "quiet toggle", "aria-expanded": String(!folded), onclick: press }, folded ? "Show" : "Hide");
  }

  chip(suggestion) {
    const press = () => {
      this.used();
      this.fill(suggestion);
    };
    return el("button", { type: "button", className: "suggestion", onclick: press }, suggestion.text);
  }

  steps() {
    const [first, ...others] = this.suggestions.map((one) => el("li", {}, this.chip(one), " ", one.why));
    const open = el("li", {}, "Open the meeting’s link: on Zoom’s side you start, join, leave and end it as anybody, and the post here follows.");
    return el("ol", {}, first, open, others);
  }
}

function suggestionsFor(bot) {
  return [
    { text: `@${bot} standup`, place: "dev", why: "starts a meeting here. The first time, the bot writes to you: follow its link to connect Zoom." },
    { text: `/${bot} retro`, place: "dev", why: "does the same as a slash command: what concerns only you is shown to you alone." },
    { text: "help", place: bot, why: "in a direct message to the bot, shows everything else." },
  ];
}

function isBots(model) {
  return model.channel?.type === "D" && model.partner(model.channel)?.username === model.stage.bot;
}
