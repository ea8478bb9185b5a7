// The list of channels and of people to write to.
import { el } from "./dom.js";

/** `choose(channelId)` opens a channel, `write(userId)` a direct channel; `mark(unread)` reports unread messages. */
export function sidebar(node, session, { choose, write, mark }) {
  const { model } = session;
  const draw = () => {
    const focused = document.activeElement?.dataset?.key;
    node.replaceChildren(
      section("Channels", rooms(model).map((channel) => entry(model, channel, roomLabel(channel), () => choose(channel.id)))),
      section("Direct messages", [...partners(model).map((user) => partner(model, user, write)), ...groups(model).map((channel) => entry(model, channel, channel.display_name, () => choose(channel.id)))]),
    );
    mark([...model.channels.values()].some((channel) => model.unread(channel)));
    if (focused) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };
  model.addEventListener("change", draw);
  draw();
}

function rooms(model) {
  return [...model.channels.values()].filter((channel) => channel.team_id);
}

function groups(model) {
  return [...model.channels.values()].filter((channel) => channel.type === "G");
}

/** The bot comes first; the signed-in person is left out. */
function partners(model) {
  const bot = model.named(model.stage.bot);
  const people = model.stage.people.map((name) => model.named(name));
  return [bot, ...people].filter((user) => user && user.id !== model.me.id);
}

function section(title, entries) {
  const id = `list-${title.split(" ")[0].toLowerCase()}`;
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), el("ul", {}, entries));
}

function roomLabel(channel) {
  return [channel.display_name, channel.type === "P" && el("small", {}, "private")];
}

function partner(model, user, write) {
  const label = [user.username, user.is_bot && el("span", { className: "badge" }, "BOT")];
  const channel = model.direct(user.id);
  return channel ? entry(model, channel, label, () => write(user.id)) : item(user.id, label, () => write(user.id), {});
}

function entry(model, channel, label, open) {
  const state = { current: channel.id === model.channelId, unread: model.unread(channel) };
  const key = channel.type === "D" ? model.partner(channel)?.id : channel.id;
  return item(key, label, open, state);
}

function item(key, label, open, { current, unread }) {
  const dot = unread && el("span", { className: "dot" }, el("span", { className: "unseen" }, "unread"));
  const props = { type: "button", className: unread ? "unread" : "", "data-key": key, "aria-current": current ? "page" : null, onclick: open };
  return el("li", {}, el("button", props, el("span", { className: "label" }, label), dot));
}
