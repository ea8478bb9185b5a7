// One person's session in one window: signs in, loads data and follows events.
import { Api } from "./api.js";
import { Model } from "./model.js";
import { Socket } from "./socket.js";

const PAGE_SIZE = 200;

export class Session {
  /**
   * `onDialog(dialog)` shows a dialog that an integration opened, `onDown(down)` is told whether the server answers,
   * `onExpired()` that it no longer knows this sign-in.
   */
  static async begin(person, stage, { onDialog, onDown, onExpired }) {
    const api = await Api.signIn(person, stage.password);
    const session = new Session(api, new Model(await api.get("/users/me"), stage), { onDialog, onDown });
    await session.load();
    api.onExpired = () => session.ended || onExpired();
    return session;
  }

  constructor(api, model, { onDialog, onDown }) {
    Object.assign(this, { api, model, onDialog, onDown });
  }

  async load() {
    const { api, model } = this;
    const names = [...model.stage.people, model.stage.bot];
    const [team, users] = await Promise.all([api.get(`/teams/name/${model.stage.team}`), api.post("/users/usernames", names)]);
    model.team = team;
    for (const user of users) model.users.set(user.id, user);
    await this.loadChannels();
    model.prune();
  }

  /** Opens the socket. `online` is true after the server's hello. */
  listen() {
    this.socket = new Socket(this.api.token, {
      onEvent: (name, data) => this.take(name, data),
      onOpen: () => this.resync(),
      onLost: () => this.setOnline(false),
      probe: () => this.probe(),
    });
  }

  /** Ends the session. */
  end() {
    this.ended = this.model.ended = true;
    this.socket?.close();
  }

  /** Checks whether the server answers and accepts the token, which a closed socket does not tell apart. */
  async probe() {
    try {
      await this.api.get("/users/me");
    } catch (refusal) {
      this.onDown(refusal.status === 0);
      return false;
    }
    this.onDown(false);
    return true;
  }

  async loadChannels() {
    const { api, model } = this;
    const channels = await api.get(`/users/me/teams/${model.team.id}/channels`);
    model.channels = new Map(channels.map((channel) => [channel.id, channel]));
    model.changed();
  }

  async show(channelId) {
    const { model } = this;
    Object.assign(model, { channelId, rootId: "" });
    model.see();
    model.changed();
    if (!model.loaded.has(channelId)) await this.loadPosts(channelId);
  }

  async loadPosts(channelId) {
    const { model } = this;
    const before = model.roots(channelId).filter((post) => post.type !== "system_ephemeral");
    const page = await this.api.get(`/channels/${channelId}/posts?per_page=${PAGE_SIZE}`);
    model.loaded.add(channelId);
    for (const gone of before.filter((post) => !page.posts[post.id])) model.drop(gone);
    for (const post of oldestFirst(page)) model.keep(post);
  }

  /** The direct channel with somebody, created if needed. */
  async direct(userId) {
    const { api, model } = this;
    const known = model.direct(userId);
    if (known) return known;
    const made = await api.post("/channels/direct", [model.me.id, userId]);
    model.channels.set(made.id, made);
    return made;
  }

  async openThread(rootId) {
    this.model.rootId = rootId;
    this.model.changed();
    if (!rootId) return;
    const page = await this.api.get(`/posts/${rootId}/thread`);
    for (const post of Object.values(page.posts)) this.model.keep(post);
  }

  /** Sends a command if the text starts with a slash, else a post. */
  async write(message, rootId = "") {
    const { api, model } = this;
    const place = { channel_id: model.channelId, root_id: rootId };
    if (message.startsWith("/")) {
      await api.post("/commands/execute", { ...place, command: message, team_id: model.team.id });
    } else {
      model.keep(await api.post("/posts", { ...place, message }));
    }
  }

  async press(postId, actionId, selected = "") {
    await this.api.post(`/posts/${postId}/actions/${actionId}`, selected ? { selected_option: selected } : {});
  }

  async submit(opened, submission, cancelled) {
    const { api, model } = this;
    const { callback_id = "", state = "" } = opened.dialog;
    const place = { user_id: model.me.id, channel_id: model.channelId, team_id: model.team.id };
    return api.post("/actions/dialogs/submit", { url: opened.url, callback_id, state, ...place, submission, cancelled });
  }

  setOnline(online) {
    this.model.online = online;
    this.model.changed();
  }

  /** Reloads everything shown, because events may have been missed. */
  async resync() {
    const again = [...this.model.loaded];
    await this.loadChannels();
    for (const channelId of again) await this.loadPosts(channelId);
    this.model.see();
    this.setOnline(true);
  }

  take(name, data) {
    const { model } = this;
    switch (name) {
      case "posted":
      case "post_edited":
      case "ephemeral_message":
        return this.receive(JSON.parse(data.post));
      case "post_deleted":
        return model.drop(JSON.parse(data.post));
      case "open_dialog":
        return this.onDialog(JSON.parse(data.dialog));
      case "channel_deleted":
      case "channel_restored":
      case "direct_added":
      case "group_added":
      case "user_added":
      case "user_removed":
        return this.loadChannels();
    }
  }

  async receive(post) {
    if (!this.model.channels.has(post.channel_id)) await this.loadChannels();
    this.model.keep(post);
  }
}

/** Posts of the same millisecond keep the server's order. */
function oldestFirst({ order, posts }) {
  const others = Object.values(posts).filter((post) => !order.includes(post.id));
  return [...others, ...order.map((id) => posts[id]).reverse()];
}
