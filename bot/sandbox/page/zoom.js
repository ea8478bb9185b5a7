// Zoom's pages: buttons work in place, and a meeting's page follows the meeting. Without this script each button
// loads the page anew.

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

/** Sends a form in the background: a page that is loaded anew forgets where the focus was. */
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

/** The server's own HTML, from this origin; whatever was focused or half written stays so. */
function show(page) {
  const [rest, state] = [at("rest"), at("state")];
  const focused = rest.contains(document.activeElement) && document.activeElement.dataset.key;
  const written = keyed("guest")?.value;
  if (state) {
    const { className, textContent } = page.getElementById("state");
    // What is told anew is read out anew.
    if (state.textContent !== textContent) Object.assign(state, { className, textContent });
  }
  rest.replaceChildren(...page.getElementById("rest").childNodes);
  if (written !== undefined && keyed("guest")) keyed("guest").value = written;
  // A button that is no longer there leaves the focus to what became of it.
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
