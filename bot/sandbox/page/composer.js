// The message box: Enter sends, Shift+Enter starts a new line.
import { el } from "./dom.js";

const MAX_LENGTH = 16383;

export class Composer {
  /** If `send(text)` throws, the text is kept. */
  constructor(node, { label, send }) {
    this.send = send;
    this.box = el("textarea", { rows: 1, maxlength: MAX_LENGTH, "aria-label": label, placeholder: label, oninput: () => this.fit(), onkeydown: (event) => this.key(event) });
    this.problem = el("p", { className: "problem", role: "alert" });
    const button = el("button", { type: "submit", className: "main" }, "Send");
    const form = el("form", { className: "composer", onsubmit: (event) => this.submit(event) }, this.box, button);
    // Text wraps differently when the width changes.
    new ResizeObserver(() => requestAnimationFrame(() => this.fit())).observe(form);
    node.append(form, this.problem, el("p", { className: "note hint" }, "Enter sends, Shift+Enter begins a new line."));
  }

  set label(text) {
    this.box.setAttribute("aria-label", text);
    this.box.placeholder = text;
  }

  get text() {
    return this.box.value;
  }

  fill(text) {
    this.box.value = text;
    this.problem.textContent = "";
    this.fit();
  }

  focus() {
    this.box.focus();
    this.box.setSelectionRange(this.text.length, this.text.length);
  }

  /** Fits the height to the text. The style sheet sets the maximum. */
  fit() {
    const { style, offsetHeight, clientHeight } = this.box;
    style.height = "auto";
    const { scrollHeight } = this.box;
    style.height = scrollHeight ? `${scrollHeight + offsetHeight - clientHeight}px` : "";
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit(event);
  }

  async submit(event) {
    event.preventDefault();
    const text = this.text.trim();
    if (!text) return;
    this.fill("");
    try {
      await this.send(text);
    } catch (error) {
      if (!this.text) this.fill(text);
      this.problem.textContent = error.message;
    }
  }
}
