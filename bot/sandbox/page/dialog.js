// Interactive dialogs: forms that integrations open.
import { el } from "./dom.js";
import { markdown } from "./markdown.js";
import { choices } from "./post.js";

/** Shows `opened` ({url, dialog}); closes when the integration accepts the form, or on Cancel and Escape. */
export function showDialog(opened, session) {
  const given = opened.dialog;
  const elements = given.elements ?? [];
  const general = el("p", { className: "problem", role: "alert" });
  const rows = elements.map((element) => row(element, session.model));
  const buttons = el("p", { className: "buttons" },
    el("button", { type: "submit", className: "main" }, given.submit_label || "Submit"),
    el("button", { type: "button", onclick: () => cancel() }, "Cancel"));
  const form = el("form", {}, el("h2", { id: "dialog-title" }, given.title), given.introduction_text && markdown(given.introduction_text), rows.map((one) => one.node), general, buttons);
  const box = el("dialog", { "aria-labelledby": "dialog-title" }, form);

  const close = () => {
    box.close();
    box.remove();
  };
  const cancel = () => {
    close();
    if (given.notify_on_cancel) session.submit(opened, {}, true).catch(() => {});
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (await submit(opened, session, elements, rows, general)) close();
  };
  box.oncancel = (event) => {
    event.preventDefault();
    cancel();
  };
  document.body.append(box);
  box.showModal();
}

/** Returns whether the integration accepted the form; shows its errors beside the fields if not. */
async function submit(opened, session, elements, rows, general) {
  general.textContent = "";
  const values = Object.fromEntries(elements.map((element, index) => [element.name, rows[index].value()]));
  try {
    const answer = await session.submit(opened, values, false);
    elements.forEach((element, index) => rows[index].complain(answer.errors?.[element.name] ?? ""));
    general.textContent = answer.error ?? "";
    return !answer.error && !Object.keys(answer.errors ?? {}).length;
  } catch (error) {
    general.textContent = error.message;
    return false;
  }
}

function row(element, model) {
  const id = `field-${element.name}`;
  const { input, value } = control(element, id, model);
  const problem = el("span", { className: "problem", role: "alert" });
  const help = element.help_text && el("small", { id: `${id}-help` }, element.help_text);
  const label = element.optional ? `${element.display_name} (optional)` : element.display_name;
  const grouped = element.type === "radio";
  const node = grouped
    ? el("fieldset", { className: "row" }, el("legend", {}, label), input, help, problem)
    : el("p", { className: "row" }, el("label", { for: id }, label), input, help, problem);
  return { node, value, complain: (text) => { problem.textContent = text; } };
}

function control(element, id, model) {
  const common = { id, name: element.name, required: !element.optional, "aria-describedby": element.help_text ? `${id}-help` : null };
  if (element.type === "bool") return checkbox(element, common);
  if (element.type === "radio") return radios(element, id);
  if (element.type === "select") return select(element, common, model);
  const limits = { minlength: element.min_length || null, maxlength: element.max_length || null, placeholder: element.placeholder || null };
  const tag = element.type === "textarea" ? "textarea" : "input";
  const type = tag === "input" ? { type: element.subtype || "text" } : { rows: 4 };
  const input = el(tag, { ...common, ...limits, ...type, value: element.default ?? "" });
  return { input, value: () => (element.subtype === "number" && input.value ? Number(input.value) : input.value) };
}

function checkbox(element, common) {
  const input = el("input", { ...common, required: false, type: "checkbox", checked: element.default === "true" });
  return { input: el("span", {}, input, " ", element.placeholder), value: () => input.checked };
}

function radios(element, id) {
  const options = (element.options ?? []).map((one) => el("label", {}, el("input", { type: "radio", name: id, value: one.value, checked: one.value === element.default }), " ", one.text));
  const input = el("span", { className: "radios" }, options);
  return { input, value: () => input.querySelector(":checked")?.value ?? null };
}

function select(element, common, model) {
  const options = choices(element, model).map((one) => el("option", { value: one.value, selected: one.value === element.default }, one.text));
  const input = el("select", common, el("option", { value: "" }, element.placeholder || "Choose…"), options);
  return { input, value: () => input.value || null };
}
