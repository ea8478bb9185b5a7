// Keeps the end of a list of messages in sight, for whoever looks at it or has just written.

const NEAR = 120;

export class Tail {
  /** The only one of `scroll`. */
  static of(scroll) {
    scroll.tail ??= new Tail(scroll);
    return scroll.tail;
  }

  constructor(scroll) {
    Object.assign(this, { scroll, follows: true, last: "" });
    scroll.addEventListener("scroll", () => this.look(), { passive: true });
    // A composer that grows, or a thread beside it, leaves less room.
    new ResizeObserver(() => this.follows && this.show()).observe(scroll);
  }

  /** After `posts` were drawn for the person `me`: what they wrote, or are told alone, is shown in any case. */
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
