// Relative times, with the full date and time as a tooltip.
import { el } from "./dom.js";

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const MINUTE = 60_000;

// How far the server's clock is ahead, judged by its messages.
let ahead = 0;

/** A `time` element for `ms` since the epoch, which updates itself. */
export function time(ms) {
  if (ms > Date.now() + ahead + MINUTE / 2) {
    ahead = ms - Date.now();
    age();
  }
  return el("time", { datetime: new Date(ms).toISOString(), title: FULL.format(ms) }, words(ms));
}

export function words(ms, now = Date.now() + ahead) {
  const minutes = Math.floor((now - ms) / MINUTE);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 12 * 60 ? CLOCK.format(ms) : DAY.format(ms);
}

function age() {
  for (const node of document.querySelectorAll("time[datetime]")) {
    const said = words(Date.parse(node.dateTime));
    if (node.textContent !== said) node.textContent = said;
  }
}

setInterval(age, MINUTE / 2);
