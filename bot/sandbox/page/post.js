// One message.
import { attachment } from "./attachment.js";
import { el } from "./dom.js";
import { fileList } from "./files.js";
import { markdown } from "./markdown.js";
import { time } from "./times.js";

const EPHEMERAL = "system_ephemeral";

/** `place` is "room" (the channel) or "thread"; in a thread there is no link to the thread. */
export function postNode(post, session, place) {
  const { model } = session;
  const who = writer(post, model);
  const node = el("li", { className: kind(post), id: `${place}-${post.id}`, "data-post": post.id },
    el("span", { className: "face", "aria-hidden": "true", "data-face": who.name }, who.name.slice(0, 1).toUpperCase()),
    el("div", { className: "body" }, header(post, who), content(post), cards(post, session), fileList(post, session), place === "room" && foot(post, session)));
  return node;
}

function kind(post) {
  if (post.type === EPHEMERAL) return "post ephemeral";
  return post.type.startsWith("system_") ? "post system" : "post";
}

function writer(post, model) {
  const user = model.users.get(post.user_id);
  const override = post.props?.from_webhook === "true" && post.props.override_username;
  if (override) return { name: override, bot: true };
  // A command's ephemeral response has the id of the user who ran it.
  if (post.type === EPHEMERAL && !user?.is_bot) return { name: "System", bot: true };
  return { name: user?.username ?? "somebody", bot: Boolean(user?.is_bot) };
}

function header(post, who) {
  return el("p", { className: "who" },
    el("strong", {}, who.name),
    who.bot && el("span", { className: "badge" }, "BOT"),
    time(post.create_at),
    post.edit_at > 0 && el("span", { className: "note" }, "edited"),
    post.type === EPHEMERAL && el("span", { className: "private" }, "Only visible to you"));
}

function content(post) {
  return post.message ? el("div", { className: "text" }, markdown(post.message)) : null;
}

function cards(post, session) {
  const given = Array.isArray(post.props?.attachments) ? post.props.attachments : [];
  const press = (actionId, option) => session.press(post.id, actionId, option);
  const options = (action) => choices(action, session.model);
  return given.map((one) => attachment(one, { press, options }));
}

/** A menu's own options, or all people or channels. */
export function choices({ data_source: source, options }, model) {
  if (source === "users") return [...model.users.values()].map((user) => ({ text: `@${user.username}`, value: user.id }));
  if (source === "channels") return [...model.channels.values()].filter((one) => one.team_id).map((one) => ({ text: one.display_name, value: one.id }));
  return options ?? [];
}

function foot(post, session) {
  if (post.type) return null;
  const root = post.root_id || post.id;
  const count = session.model.replies(root);
  const said = count === 0 ? "Reply" : count === 1 ? "1 reply" : `${count} replies`;
  const open = () => session.openThread(root);
  return el("p", { className: "foot" }, el("button", { type: "button", className: "quiet", onclick: open, "aria-label": `${said}: open the thread of ${session.model.name(post.user_id)}` }, said));
}
