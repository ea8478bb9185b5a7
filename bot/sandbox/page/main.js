// The chat page: one window, one person.
import { showDialog } from "./dialog.js";
import { people } from "./people.js";
import { Room } from "./room.js";
import { Session } from "./session.js";
import { sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";
import { welcome } from "./welcome.js";

const FIRST_CHANNEL = "dev";

const at = (id) => document.getElementById(id);
let current = null;

async function begin() {
  const stage = await (await fetch("/stage.json")).json();
  at("zoom-side").href = stage.zoom_url;
  at("drawer").addEventListener("click", () => openDrawer(at("drawer").getAttribute("aria-expanded") !== "true"));
  const asked = new URLSearchParams(location.search).get("as");
  await become(stage.people.includes(asked) ? asked : stage.people[0], stage);
}

/** Everything of the former person is left behind, and the page is drawn for the new one. */
async function become(person, stage) {
  const place = current?.model.channel?.name;
  current?.end();
  renew("sidebar", "posts", "thread", "welcome");
  const session = await Session.begin(person, stage, { onDialog: (opened) => showDialog(opened, session) });
  current = session;
  history.replaceState(null, "", `/?as=${person}`);
  people(at("people"), stage, person, (other) => become(other, stage).catch(say));
  const room = new Room(session, { title: at("title"), state: at("state"), scroll: at("scroll"), posts: at("posts"), composer: at("composer") });
  new Thread(session, at("thread"));
  const choose = (channelId) => session.show(channelId).then(() => openDrawer(false)).catch(say);
  const write = async (userId) => choose((await session.direct(userId)).id);
  sidebar(at("sidebar"), session, { choose, write: (userId) => write(userId).catch(say) });
  welcome(at("welcome"), session, (suggestion) => fill(session, room, suggestion).catch(say));
  const first = channelNamed(session, place) ?? channelNamed(session, FIRST_CHANNEL);
  await session.show(first.id);
  session.listen();
  document.addEventListener("visibilitychange", () => current === session && session.model.see());
  room.composer.focus();
}

function channelNamed(session, name) {
  return [...session.model.channels.values()].find((channel) => channel.name === name && channel.team_id);
}

async function fill(session, room, { text, place }) {
  const user = session.model.named(place);
  const channel = user ? await session.direct(user.id) : inTeam(session) ? session.model.channel : channelNamed(session, place);
  if (channel.id !== session.model.channelId) await session.show(channel.id);
  room.draw();
  room.composer.fill(text);
  room.composer.focus();
}

function inTeam(session) {
  return Boolean(session.model.channel?.team_id);
}

/** Elements whose listeners belong to the former person are replaced by empty ones. */
function renew(...ids) {
  for (const id of ids) at(id).replaceWith(at(id).cloneNode(false));
}

function openDrawer(open) {
  at("drawer").setAttribute("aria-expanded", String(open));
  document.body.classList.toggle("drawer", open);
}

function say(error) {
  at("state").textContent = error.message;
}

begin().catch(say);
