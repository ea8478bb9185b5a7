// Keeps a message list scrolled to the end while the end is in view or the person has just written.

const NEAR = 120;

export class Tail {
  /** The instance for `scroll`, created once. */
  static of(scroll) {
    scroll.tail ??= new Tail(scroll);
    return scroll.tail;
  }

  constructor(scroll) {
    Object.assign(this, { scroll, follows: true, last: "" });
    scroll.addEventListener("scroll", () => this.look(), { passive: true });
    // A growing composer or an open thread makes the list smaller.
    new ResizeObserver(() => this.follows && this.show()).observe(scroll);
  }

  /** Call after drawing `posts`. Scrolls to a new post in any case if it is by `me` or ephemeral. */
  drawn(posts, me) {
    const newest = posts.at(-1);
    const isNew = newest && newest.id !== this.last;
    this.last = newest?.id ?? "";
    if (this.follows || (isNew && (newest.user_id === me.id || newest.type === "system_ephemeral"))) this.show();
  }

  show() {
    this.follows = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  look() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.follows = scrollHeight - scrollTop - clientHeight < NEAR;
  }
}
