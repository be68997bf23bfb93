// The command palette: Ctrl or Cmd with K, anywhere. Its index is read once for each page; ranking happens here, so that each key answers at once.

const palette = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
const told = document.getElementById("palette-told");
const MOST = 40;

let index = null;
let shown = [];
let chosen = 0;
let before = null;

// ---- ranking: whole words beat words with one letter wrong, and those beat letters in order; beginnings beat middles ----
function plain(text) {
  return /^[ -~]*$/.test(text) ? text.toLowerCase() : text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
function score(words, command, near) {
  const text = command.plain;
  let sum = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at === 0) sum += 100;
    else if (at > 0) sum += /[\s:&.,'-]/.test(text[at - 1]) ? 80 : 50;
    else {
      // a slip of the finger in one word is nearer than its letters spread over several
      const loose = word.length > 3 && oneWrong(word, command, near.get(word)) ? 32 : letters(word, text);
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
function oneWrong(word, command, near) {
  return wordsOf(command).some((other) => {
    let is = near.get(other);
    if (is === undefined) {
      const cut = other.slice(0, word.length + 1);
      is = distance(word, cut) <= 1 || distance(word, cut.slice(0, word.length)) <= 1 || distance(word, cut.slice(0, word.length - 1)) <= 1;
      near.set(other, is);
    }
    return is;
  });
}
function wordsOf(command) {
  return command.words ??= command.plain.split(/[^\p{L}\p{N}]+/u);
}
// thousands of labels are cut into words while nobody waits
const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 5 }), 50));
function prepare(commands, at = 0) {
  whenIdle((deadline) => {
    while (at < commands.length && deadline.timeRemaining() > 2) {
      wordsOf(commands[at]);
      at += 1;
    }
    if (at < commands.length) prepare(commands, at);
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

// ---- what is offered before anything is typed: what can be done here, where one was last, and what runs or waits for a person ----
const RECENT = "tieout_recent_companies";
const companyOf = (path) => /^(\/companies\/[^/?#]+)/.exec(path)?.[1] ?? "";
const recent = () => JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");
// addresses only: names are in the index of whoever is signed in now
const here = companyOf(location.pathname);
if (here) sessionStorage.setItem(RECENT, JSON.stringify([here, ...recent().filter((path) => path !== here)].slice(0, 6)));
// what is done from a page: the longest beginning of its address counts, and only what the index offers this person
const DONE_FROM = [
  ["/integrations/data-feed", ["/integrations/data-feed/resync-all", "/integrations/data-feed/export.csv", "/integrations/logs/all?status=error"]],
  ["/integrations/logs", ["/integrations/logs/all?status=error", "/integrations/incidents", "/integrations/logs/all/export?format=csv"]],
  ["/integrations", ["/integrations/data-feed", "/integrations/health", "/integrations/incidents"]],
  ["/notifications", ["/notifications/settings", "/integrations/incidents"]],
  ["/organization", ["/organization/invitations/new", "/organization/access", "/organization/audit"]],
];
function offered() {
  const of = (path) => index.commands.filter((command) => command.href.startsWith(path) && command.href !== path && !command.first);
  const byAddress = new Map(index.commands.filter((command) => !command.post && !command.first).map((command) => [command.href, command]));
  const [, addresses = []] = DONE_FROM.find(([page]) => location.pathname === page || location.pathname.startsWith(`${page}/`)) ?? [];
  const elsewhere = addresses.filter((address) => address !== location.pathname);
  const fromHere = elsewhere.map((address) => index.commands.find((command) => !command.post && command.href === address)).filter(Boolean);
  const companies = recent().filter((path) => path !== here && byAddress.has(path)).slice(0, 4);
  return [
    ...(here ? of(`${here}/`) : []).slice(0, 3).map((command) => ({ ...command, group: "This company" })),
    ...fromHere.map((command) => ({ ...command, group: "This page" })),
    ...companies.map((path) => ({ ...byAddress.get(path), group: "Recent companies" })),
    ...index.commands.filter((command) => command.first),
  ].slice(0, MOST);
}

function find(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  if (!words.length) return offered();
  const found = [];
  // the same words stand in thousands of labels: each is compared once
  const near = new Map(words.map((word) => [word, new Map()]));
  for (const command of index.commands) {
    const points = score(words, command, near);
    if (points) found.push([points, command]);
  }
  found.sort((a, b) => b[0] - a[0]);
  const best = found.slice(0, MOST).map(([, command]) => command);
  // a number or a reference may stand in a message
  const mayBeTold = /^\S*\d\S*$/.test(typed.trim()) && index.commands.some((command) => command.href === "/integrations/logs/all");
  if (mayBeTold) best.push({ group: "References", label: `Search the log for ${typed.trim()}`, hint: "in its messages", href: `/integrations/logs/all?message=${encodeURIComponent(typed.trim())}` });
  return best;
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
    palette.hidePopover();
    location.assign(command.href);
    return;
  }
  const [path, query] = command.href.split("?");
  const form = make("form", { method: "post", action: path });
  const fields = new URLSearchParams(query);
  for (const name of ["back", "next"]) fields.set(name, location.pathname + location.search);
  for (const [name, value] of fields) form.append(make("input", { type: "hidden", name, value }));
  document.body.append(form);
  palette.hidePopover();
  form.requestSubmit();
}

// what each letter that is typed compares is made once
function known(answer) {
  for (const command of answer.commands) command.plain = plain(command.label);
  return answer;
}

// ---- opening and closing ----
// A popover and not a modal dialog: with one, each element of the page behind is styled anew, which a person feels on a page of a hundred rows.
// What a modal one would do is done here: it lies over the whole page, the focus stays within, and a press outside its box closes it.
const isOpen = () => palette.matches(":popover-open");
async function open() {
  if (isOpen()) return;
  before = document.activeElement;
  input.value = "";
  chosen = 0;
  note("Looking...");
  palette.showPopover();
  input.focus();
  try {
    if (!index) {
      const answer = await fetch("/palette/index.json", { headers: { "X-Live": "1" } });
      if (!answer.ok) throw new Error(`the index was answered with ${answer.status}`);
      index = known(await answer.json());
      prepare(index.commands);
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
  // what holds a digit may be a run, or a request or a record that entries of the log name: the server looks them up
  if (typed.length < 2 || !(index?.more || /\d/.test(typed))) return;
  const answer = await fetch(`/palette/index.json?q=${encodeURIComponent(typed)}`, { headers: { "X-Live": "1" } });
  if (!answer.ok || input.value.trim() !== typed) return;
  const had = new Set(index.commands.map((command) => command.href + command.label));
  const fresh = known(await answer.json()).commands.filter((command) => !had.has(command.href + command.label));
  index.commands.push(...fresh);
  if (fresh.length) draw();
}

if (palette && input) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (isOpen()) palette.hidePopover(); else open();
    }
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (!opener) return;
    event.preventDefault();
    open();
  });
  let timer = 0;
  // keys that come faster than the screen is drawn cost one search together
  let drawing = 0;
  function drawNow() {
    cancelAnimationFrame(drawing);
    drawing = 0;
    draw();
  }
  input.addEventListener("input", () => {
    chosen = 0;
    if (index) drawing ||= requestAnimationFrame(drawNow);
    clearTimeout(timer);
    timer = setTimeout(more, 150);
  });
  input.addEventListener("keydown", (event) => {
    // whoever goes on at once means what fits all that is typed
    if (drawing && (event.key.length > 1)) drawNow();
    const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + 8, PageUp: chosen - 8 };
    if (event.key in moves) {
      event.preventDefault();
      choose(event.key.startsWith("Page") ? Math.max(0, Math.min(shown.length - 1, moves[event.key])) : moves[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(shown[chosen]);
    } else if (event.key === "Tab") {
      event.preventDefault();
      if (event.shiftKey || !shown[chosen]) return;
      // the chosen label as a beginning: "Resync" and a blank, then the company
      input.value = shown[chosen].label + " ";
      draw();
    }
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-at]");
    if (row) run(shown[Number(row.dataset.at)]);
  });
  palette.addEventListener("click", (event) => { if (event.target === palette) palette.hidePopover(); });
  // a press on what is no field leaves the focus in it
  palette.addEventListener("mousedown", (event) => { if (event.target !== input) event.preventDefault(); });
  palette.addEventListener("toggle", (event) => { if (event.newState === "closed" && [document.body, input].includes(document.activeElement)) before?.focus?.(); });
}
