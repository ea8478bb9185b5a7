// The panel with one thread.
import { Composer } from "./composer.js";
import { clear, el, reconcile } from "./dom.js";
import { postNode } from "./post.js";
import { Tail } from "./tail.js";

export class Thread {
  constructor(session, panel) {
    Object.assign(this, { session, panel, shown: "" });
    const close = el("button", { type: "button", className: "quiet", "aria-label": "Close the thread", onclick: () => session.openThread("") }, "Close");
    this.list = el("ol", { className: "posts", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": "Thread" });
    const scroll = el("div", { className: "scroll" }, this.list);
    this.tail = Tail.of(scroll);
    const foot = el("footer");
    this.composer = new Composer(foot, { label: "Reply in this thread", send: (text) => session.write(text, session.model.rootId) });
    panel.replaceChildren(el("header", { className: "bar" }, el("h2", {}, "Thread"), close), scroll, foot);
    panel.hidden = true;
    session.model.addEventListener("change", () => this.draw());
  }

  draw() {
    const { rootId, me } = this.session.model;
    if (this.shown !== rootId) this.move(rootId);
    if (!rootId) return;
    const posts = this.session.model.thread(rootId);
    reconcile(this.list, posts, (post) => post.id, (post) => postNode(post, this.session, "thread"));
    this.tail.drawn(posts, me);
  }

  move(rootId) {
    const left = this.shown;
    const elsewhere = document.activeElement !== document.body && !this.panel.contains(document.activeElement);
    this.shown = rootId;
    this.panel.hidden = !rootId;
    clear(this.list);
    this.composer.fill("");
    if (rootId) this.tail.show();
    if (rootId) this.composer.focus();
    else if (!elsewhere) document.querySelector(`#room-${CSS.escape(left)} .foot button`)?.focus({ preventScroll: true });
  }
}
