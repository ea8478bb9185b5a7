// The chat page. Each window is signed in as one person.
import { showDialog } from "./dialog.js";
import { closeDrawer, drawer, markDrawer } from "./drawer.js";
import { Guide } from "./guide.js";
import { people } from "./people.js";
import { ChannelPane } from "./channel.js";
import { Session } from "./session.js";
import { sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";

const FIRST_CHANNEL = "dev";
const DEFAULT_PORT = "8065";
const PAUSE = 2000;

const at = (id) => document.getElementById(id);
let current = null;

/** `draft()` returns the unsent text. */
async function begin(person, draft = () => "") {
  const stage = await (await fetch("/stage.json")).json();
  at("zoom-side").href = stage.zoom_url;
  await become(stage.people.includes(person) ? person : stage.people[0], stage, draft);
  setDown(false);
}

/** Drops the previous person's state and draws the page for the new one. */
async function become(person, stage, draft = () => "") {
  const session = await Session.begin(person, stage, {
    onDialog: (opened) => showDialog(opened, session),
    onDown: setDown,
    onExpired: () => revive(session, pane),
  });
  const [place, written] = [current?.model.channel?.name, draft()];
  current?.end();
  current = session;
  closeDrawer();
  renew("sidebar", "posts", "thread", "guide");
  history.replaceState(null, "", `/?as=${person}`);
  people(at("people"), stage, person, (other) => become(other, stage).catch(say));
  const pane = new ChannelPane(session, { title: at("title"), state: at("state"), scroll: at("scroll"), posts: at("posts"), composer: at("composer") });
  new Thread(session, at("thread"));
  const choose = async (channelId) => {
    closeDrawer();
    await enter(session, pane, channelId);
  };
  const write = async (userId) => choose((await session.direct(userId)).id);
  sidebar(at("sidebar"), session, { choose: (id) => choose(id).catch(say), write: (id) => write(id).catch(say), mark: markDrawer });
  const guide = new Guide(at("guide"), session, (suggestion) => fill(session, pane, suggestion).catch(say));
  pane.onSent = () => guide.used();
  const first = channelNamed(session, place) ?? channelNamed(session, FIRST_CHANNEL);
  await session.show(first.id);
  session.listen();
  document.addEventListener("visibilitychange", () => current === session && session.model.see());
  pane.composer.fill(written);
  pane.composer.focus();
}

/** The demo was restarted and its data is gone: signs the same person in again and keeps the unsent text. */
async function revive(session, pane) {
  session.end();
  try {
    if (current === session) await begin(session.model.me.username, () => pane.composer.text);
  } catch {
    setDown(true);
    setTimeout(() => revive(session, pane), PAUSE);
  }
}

function channelNamed(session, name) {
  return [...session.model.channels.values()].find((channel) => channel.name === name && channel.team_id);
}

async function fill(session, pane, { text, place }) {
  const user = session.model.named(place);
  const channel = user ? await session.direct(user.id) : inTeam(session) ? session.model.channel : channelNamed(session, place);
  await enter(session, pane, channel.id, text);
}

/** Shows a channel and focuses its composer without waiting for the messages. */
function enter(session, pane, channelId, text) {
  const showing = session.show(channelId);
  pane.draw();
  if (text) pane.composer.fill(text);
  pane.composer.focus();
  return showing;
}

function inTeam(session) {
  return Boolean(session.model.channel?.team_id);
}

/** Replaces elements that have the previous person's listeners with empty ones. */
function renew(...ids) {
  for (const id of ids) at(id).replaceWith(at(id).cloneNode(false));
}

function setDown(down) {
  at("down").hidden = !down;
  at("again").textContent = location.port === DEFAULT_PORT ? "zoombot demo" : `zoombot demo --port ${location.port}`;
}

function leave(event) {
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  if (!closeDrawer({ refocus: true }) && current?.model.rootId) current.openThread("");
}

function say(error) {
  at("state").textContent = error.message;
}

drawer();
document.addEventListener("keydown", leave);
begin(new URLSearchParams(location.search).get("as")).catch(say);
