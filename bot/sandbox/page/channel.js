// The open channel: its title, messages and composer.
import { Composer } from "./composer.js";
import { clear, reconcile } from "./dom.js";
import { postNode } from "./post.js";
import { Tail } from "./tail.js";

export class ChannelPane {
  constructor(session, { title, state, scroll, posts, composer }) {
    Object.assign(this, { session, title, state, posts, tail: Tail.of(scroll), drafts: new Map(), shown: "", onSent: () => {} });
    clear(posts);
    composer.replaceChildren();
    this.composer = new Composer(composer, { label: "Message", send: (text) => session.write(text).then(() => this.onSent()) });
    session.model.addEventListener("change", () => this.draw());
    this.draw();
  }

  draw() {
    const { model } = this.session;
    this.state.textContent = model.online ? "" : "Connecting…";
    if (!model.channel) return;
    if (this.shown !== model.channelId) this.move();
    const roots = model.roots(model.channelId);
    reconcile(this.posts, roots, (post) => post.id, (post) => postNode(post, this.session, "room"));
    this.tail.drawn(roots, model.me);
  }

  /** Switches to another channel and keeps the unsent text of the previous one. */
  move() {
    const { model } = this.session;
    this.drafts.set(this.shown, this.composer.text);
    this.shown = model.channelId;
    clear(this.posts);
    this.tail.show();
    const title = model.title(model.channel);
    this.title.textContent = title;
    document.title = `${title} as ${model.me.username}: Zoom for Mattermost, the demo`;
    this.composer.label = model.channel.type === "D" ? `Message @${title}` : `Message in ${title}`;
    this.composer.fill(this.drafts.get(model.channelId) ?? "");
  }
}
