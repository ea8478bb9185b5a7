// Zoom's pages: buttons work without a reload, and the meeting page updates itself. Without this script each
// button reloads the page.

const PAUSE = 2000;
const STOPPED = "Zoom does not answer: the demo has stopped.";

const at = (id) => document.getElementById(id);
const live = at("live");
let pressing = false;

async function follow() {
  let seen = "";
  for (;;) {
    try {
      const answer = await fetch(`${live.dataset.url}?seen=${seen}`);
      if (answer.status === 200) {
        seen = answer.headers.get("X-Mark");
        show(parsed(await answer.text()));
        if (at("said").textContent === STOPPED) say("");
      } else if (!answer.ok) return say("This meeting is gone.");
    } catch {
      say(STOPPED);
      await new Promise((resume) => setTimeout(resume, PAUSE));
    }
  }
}

/** Sends a form in the background, because a reload loses the focus. */
async function press(event) {
  event.preventDefault();
  if (pressing) return;
  pressing = true;
  say("");
  const form = event.target;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = parsed(await answer.text());
    if (answer.ok) show(page);
    else say(page.querySelector("main p").textContent);
  } catch {
    say(STOPPED);
  }
  pressing = false;
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

/** Shows HTML from this origin's server and keeps the focus and unsent input. */
function show(page) {
  const [rest, state] = [at("rest"), at("state")];
  const focused = rest.contains(document.activeElement) && document.activeElement.dataset.key;
  const written = keyed("guest")?.value;
  if (state) {
    const { className, textContent } = page.getElementById("state");
    // Screen readers announce every update, so set it only when it changed.
    if (state.textContent !== textContent) Object.assign(state, { className, textContent });
  }
  rest.replaceChildren(...page.getElementById("rest").childNodes);
  if (written !== undefined && keyed("guest")) keyed("guest").value = written;
  // If the focused button is gone, focus the state instead.
  if (focused) (keyed(focused) ?? state)?.focus();
}

function keyed(key) {
  return live.querySelector(`[data-key="${CSS.escape(key)}"]`);
}

function say(text) {
  at("said").textContent = text;
}

live?.addEventListener("submit", press);
if (live?.dataset.url) follow();
