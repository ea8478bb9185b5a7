// The panel with one thread.
import { Composer } from "./composer.js";
import { clear, el, reconcile } from "./dom.js";
import { postNode } from "./post.js";

export class Thread {
  constructor(session, panel) {
    Object.assign(this, { session, panel, shown: "" });
    const close = el("button", { type: "button", className: "quiet", "aria-label": "Close the thread", onclick: () => session.openThread("") }, "Close");
    this.list = el("ol", { className: "posts", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": "Thread" });
    this.scroll = el("div", { className: "scroll" }, this.list);
    const foot = el("footer");
    this.composer = new Composer(foot, { label: "Reply in this thread", send: (text) => session.write(text, session.model.rootId) });
    panel.replaceChildren(el("header", { className: "bar" }, el("h2", {}, "Thread"), close), this.scroll, foot);
    panel.addEventListener("keydown", (event) => event.key === "Escape" && session.openThread(""));
    panel.hidden = true;
    session.model.addEventListener("change", () => this.draw());
  }

  draw() {
    const { rootId } = this.session.model;
    if (this.shown !== rootId) this.move(rootId);
    if (!rootId) return;
    reconcile(this.list, this.session.model.thread(rootId), (post) => post.id, (post) => postNode(post, this.session, "thread"));
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  move(rootId) {
    const left = this.shown;
    this.shown = rootId;
    this.panel.hidden = !rootId;
    clear(this.list);
    this.composer.fill("");
    if (rootId) this.composer.focus();
    else document.querySelector(`#room-${CSS.escape(left)} .foot button`)?.focus();
  }
}
