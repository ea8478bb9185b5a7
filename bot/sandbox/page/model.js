// The window's data: people, channels, posts. Fires "change" when something changes.

const SEEN = "seen";

export class Model extends EventTarget {
  constructor(me, stage) {
    super();
    Object.assign(this, { me, stage, team: null, channelId: "", rootId: "", online: false });
    this.users = new Map([[me.id, me]]);
    this.channels = new Map();
    this.posts = new Map();
    this.loaded = new Set();
    this.seen = this.readSeen();
  }

  changed() {
    if (this.waiting) return;
    this.waiting = true;
    queueMicrotask(() => {
      this.waiting = false;
      if (!this.ended) this.dispatchEvent(new Event("change"));
    });
  }

  get channel() {
    return this.channels.get(this.channelId);
  }

  name(userId) {
    return this.users.get(userId)?.username ?? "somebody";
  }

  named(username) {
    return [...this.users.values()].find((user) => user.username === username);
  }

  /** The other person of a direct channel. */
  partner(channel) {
    const ids = channel.name.split("__");
    return this.users.get(ids.find((id) => id !== this.me.id) ?? this.me.id);
  }

  title(channel) {
    return channel.type === "D" ? (this.partner(channel)?.username ?? "somebody") : channel.display_name || channel.name;
  }

  direct(userId) {
    return [...this.channels.values()].find((one) => one.type === "D" && one.name.split("__").includes(userId));
  }

  /** The channel's posts without replies, oldest first. */
  roots(channelId) {
    return this.sorted((post) => post.channel_id === channelId && (!post.root_id || post.type === "system_ephemeral"));
  }

  thread(rootId) {
    return this.sorted((post) => post.id === rootId || post.root_id === rootId);
  }

  replies(rootId) {
    return [...this.posts.values()].filter((post) => post.root_id === rootId && post.type !== "system_ephemeral").length;
  }

  sorted(holds) {
    return [...this.posts.values()].filter(holds).sort((one, other) => one.create_at - other.create_at);
  }

  keep(post) {
    if (post.delete_at) return this.drop(post);
    const known = this.posts.get(post.id);
    // A response may be older than an event that arrived first. Posts that did not change are not redrawn.
    if (known && (known.update_at > post.update_at || isSame(known, post))) return;
    this.posts.set(post.id, post);
    this.refresh(post.root_id);
    const channel = this.channels.get(post.channel_id);
    if (channel) channel.last_post_at = Math.max(channel.last_post_at, post.create_at);
    if (post.channel_id === this.channelId && document.visibilityState === "visible") this.see();
    else if (post.user_id === this.me.id) this.see(post.channel_id);
    this.changed();
  }

  drop(post) {
    for (const known of [...this.posts.values()]) {
      if (known.id === post.id || known.root_id === post.id) this.posts.delete(known.id);
    }
    this.refresh(post.root_id);
    if (this.rootId === post.id) this.rootId = "";
    this.changed();
  }

  /** Redraws a root post, which shows its number of replies. */
  refresh(rootId) {
    const root = this.posts.get(rootId);
    if (root) this.posts.set(rootId, { ...root });
  }

  unread(channel) {
    return channel.id !== this.channelId && channel.last_post_at > (this.seen[channel.id] ?? 0);
  }

  see(channelId = this.channelId) {
    const channel = this.channels.get(channelId);
    if (!channel) return;
    this.seen[channelId] = channel.last_post_at;
    const all = readAll();
    all[this.me.username] = this.seen;
    localStorage.setItem(SEEN, JSON.stringify(all));
  }

  readSeen() {
    return readAll()[this.me.username] ?? {};
  }

  /** Drops channels of earlier demo runs. */
  prune() {
    this.seen = Object.fromEntries(Object.entries(this.seen).filter(([id]) => this.channels.has(id)));
  }
}

function isSame(one, other) {
  const shown = ({ update_at, message, props, metadata }) => JSON.stringify([update_at, message, props, metadata?.files]);
  return shown(one) === shown(other);
}

function readAll() {
  try {
    return JSON.parse(localStorage.getItem(SEEN)) ?? {};
  } catch {
    return {};
  }
}
