// The command palette: Ctrl or Cmd with K, anywhere. Its index is read once for each page; ranking happens here, so that each key answers at once.

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const told = document.getElementById("palette-told");
const MOST = 40;

let index = null;
let shown = [];
let chosen = 0;
let before = null;

// ---- ranking: words in order beat letters in order, beginnings beat middles; one letter may be wrong ----
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
function score(words, text) {
  let sum = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at === 0) sum += 100;
    else if (at > 0) sum += /[\s:&.,'-]/.test(text[at - 1]) ? 80 : 50;
    else {
      const loose = letters(word, text) || (word.length > 3 && oneWrong(word, text) ? 20 : 0);
      if (!loose) return 0;
      sum += loose;
    }
  }
  return sum + 20 / (text.length + 1);
}
// all letters of the word in their order, the closer together the better
function letters(word, text) {
  let at = -1;
  let gaps = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    if (at >= 0) gaps += next - at - 1;
    at = next;
  }
  return gaps <= word.length * 2 ? 30 - Math.min(20, gaps) : 0;
}
// some word of the text is the same but for one letter: changed, missing, doubled, or two swapped
function oneWrong(word, text) {
  return text.split(/[^\p{L}\p{N}]+/u).some((other) => {
    const cut = other.slice(0, word.length + 1);
    return distance(word, cut) <= 1 || distance(word, cut.slice(0, word.length)) <= 1 || distance(word, cut.slice(0, word.length - 1)) <= 1;
  });
}
function distance(a, b) {
  if (Math.abs(a.length - b.length) > 1) return 2;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const [restA, restB] = [a.slice(at), b.slice(at)];
  if (!restA && !restB) return 0;
  if (restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)) return 1;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2) ? 1 : 2;
}

function find(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  if (!words.length) return index.commands.filter((command) => command.first).slice(0, MOST);
  const found = [];
  if (/^[0-9a-f]{32}$/.test(words[0])) found.push([1000, { group: "References", label: `Run ${words[0]}`, hint: "its log", href: `/integrations/logs/all?run=${words[0]}` }]);
  for (const command of index.commands) {
    command.plain ??= plain(command.label);
    const points = score(words, command.plain);
    if (points) found.push([points, command]);
  }
  found.sort((a, b) => b[0] - a[0]);
  return found.slice(0, MOST).map(([, command]) => command);
}

// ---- showing ----
function make(name, attributes, ...children) {
  const node = Object.assign(document.createElement(name), attributes);
  node.append(...children);
  return node;
}
function draw() {
  shown = find(input.value);
  // results stand by group, the group of the best first
  const groups = new Map();
  for (const command of shown) groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  shown = [...groups.values()].flat();
  chosen = Math.min(chosen, Math.max(0, shown.length - 1));
  const rows = [];
  let at = 0;
  for (const [group, commands] of groups) {
    rows.push(make("p", { className: "menu-label", role: "presentation", textContent: group }));
    for (const command of commands) {
      const label = make("span", { className: "grow" }, make("bdi", { textContent: command.label }));
      const hint = command.disabled ?? command.hint;
      if (hint) label.append(make("small", { textContent: hint }));
      const row = make("div", { className: "menu-item", id: `palette-${at}`, role: "option" }, label);
      row.setAttribute("aria-selected", String(at === chosen));
      if (command.disabled) row.setAttribute("aria-disabled", "true");
      row.dataset.at = at;
      rows.push(row);
      at += 1;
    }
  }
  if (!shown.length) return note("No command fits. Try fewer letters, or part of a company's name.");
  fillList("listbox", rows);
  input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  document.getElementById(`palette-${chosen}`)?.scrollIntoView({ block: "nearest" });
  told.textContent = shown.length === 1 ? "1 result" : `${shown.length} results`;
}
// a list of nothing is no list: words stand in its place
function note(words) {
  fillList("group", [make("p", { className: "menu-note", textContent: words })]);
  input.removeAttribute("aria-activedescendant");
  told.textContent = words;
}
function fillList(role, children) {
  list.setAttribute("role", role);
  list.replaceChildren(...children);
  input.setAttribute("aria-expanded", String(role === "listbox"));
}
function choose(next) {
  if (!shown.length) return;
  document.getElementById(`palette-${chosen}`)?.setAttribute("aria-selected", "false");
  chosen = (next + shown.length) % shown.length;
  const row = document.getElementById(`palette-${chosen}`);
  row.setAttribute("aria-selected", "true");
  row.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", row.id);
}
function run(command) {
  if (!command || command.disabled) return;
  if (!command.post) {
    dialog.close();
    location.assign(command.href);
    return;
  }
  const [path, query] = command.href.split("?");
  const form = make("form", { method: "post", action: path });
  const fields = new URLSearchParams(query);
  for (const name of ["back", "next"]) fields.set(name, location.pathname + location.search);
  for (const [name, value] of fields) form.append(make("input", { type: "hidden", name, value }));
  document.body.append(form);
  dialog.close();
  form.requestSubmit();
}

// ---- opening and closing ----
async function open() {
  if (dialog.open) return;
  before = document.activeElement;
  input.value = "";
  chosen = 0;
  note("Looking...");
  dialog.showModal();
  input.focus();
  try {
    if (!index) {
      const answer = await fetch("/palette/index.json", { headers: { "X-Live": "1" } });
      if (!answer.ok) throw new Error(`the index was answered with ${answer.status}`);
      index = await answer.json();
    }
    draw();
  } catch (error) {
    index = null;
    note("The commands could not be read. Close this and try again.");
    console.debug(error);
  }
}
async function more() {
  const typed = input.value.trim();
  if (!index?.more || typed.length < 2) return;
  const answer = await fetch(`/palette/index.json?q=${encodeURIComponent(typed)}`, { headers: { "X-Live": "1" } });
  if (!answer.ok || input.value.trim() !== typed) return;
  const known = new Set(index.commands.map((command) => command.href + command.label));
  const fresh = (await answer.json()).commands.filter((command) => !known.has(command.href + command.label));
  index.commands.push(...fresh);
  if (fresh.length) draw();
}

if (dialog && input) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (!opener) return;
    event.preventDefault();
    open();
  });
  let timer = 0;
  input.addEventListener("input", () => {
    chosen = 0;
    if (index) draw();
    clearTimeout(timer);
    timer = setTimeout(more, 150);
  });
  input.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + 8, PageUp: chosen - 8 };
    if (event.key in moves) {
      event.preventDefault();
      choose(event.key.startsWith("Page") ? Math.max(0, Math.min(shown.length - 1, moves[event.key])) : moves[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(shown[chosen]);
    } else if (event.key === "Tab" && !event.shiftKey && shown[chosen]) {
      // the chosen label as a beginning: "Resync" and a blank, then the company
      event.preventDefault();
      input.value = shown[chosen].label + " ";
      draw();
    }
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-at]");
    if (row) run(shown[Number(row.dataset.at)]);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => before?.focus?.());
}
