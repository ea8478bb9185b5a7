// Files attached to a message.
import { el } from "./dom.js";

const UNITS = ["bytes", "KB", "MB"];

export function fileList(post, session) {
  const files = post.metadata?.files ?? [];
  if (!files.length) return null;
  return el("ul", { className: "files", "aria-label": "Files" }, files.map((file) => el("li", {}, fileButton(file, session))));
}

function fileButton(file, session) {
  const save = async () => {
    // The request needs the token in a header, so a plain link does not work.
    const address = URL.createObjectURL(await session.api.blob(`/files/${file.id}`));
    el("a", { href: address, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  };
  return el("button", { type: "button", className: "file", onclick: save }, `${file.name} (${size(file.size)})`);
}

function size(bytes) {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${unit ? bytes.toFixed(1) : bytes} ${UNITS[unit]}`;
}
