// A meeting's page follows the meeting. Without this script it works too, and shows the state when it is loaded.

const PAUSE = 2000;
const live = document.getElementById("live");

async function follow() {
  let seen = "";
  for (;;) {
    try {
      const answer = await fetch(`${live.dataset.url}?seen=${seen}`);
      if (answer.status === 200) {
        seen = answer.headers.get("X-Mark");
        show(await answer.text());
      } else if (!answer.ok) return;
    } catch {
      await new Promise((resume) => setTimeout(resume, PAUSE));
    }
  }
}

/** The server's own HTML, from this origin; whatever was focused or half written stays so. */
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const focused = document.activeElement?.dataset.key;
  const written = live.querySelector("[data-key=guest]")?.value;
  live.replaceChildren(...fresh.childNodes);
  const guest = live.querySelector("[data-key=guest]");
  if (guest && written !== undefined) guest.value = written;
  if (focused) live.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

if (live) follow();
