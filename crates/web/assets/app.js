// Live updates, theme, small comforts. Every page works without it.

const root = document.documentElement;
const element = (id) => document.getElementById(id);

// ---- how the server learns the zone of this person ----
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `tieout_zone=${encodeURIComponent(zone)}; Path=/; Max-Age=31536000; SameSite=Lax`;

// ---- theme ----
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.cookie = `tieout_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
  root.dataset.theme = theme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
});

// ---- times, told by the server's clock: this browser's may be hours off ----
let behind = document.body.dataset.now ? Number(document.body.dataset.now) - Date.now() : 0;
const now = () => Date.now() + behind;
const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 45]];
const AHEAD = [["year", 31536000, 30240000], ["month", 2592000, 8640000], ["day", 86400, 84600], ["hour", 3600, 3570], ["minute", 60, 45]];
// the same words as the server's
function relative(instant) {
  const seconds = Math.trunc((now() - instant) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
  if (seconds < 0) {
    // what is to come is rounded, and in days for three months
    const [unit, length] = AHEAD.find(([, , from]) => size >= from);
    const count = Math.round(size / length);
    return `in ${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  const [unit, length] = UNITS.find(([, length]) => size >= length);
  const count = Math.max(1, Math.floor(size / (unit === "minute" ? 60 : length)));
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}
function span(seconds) {
  if (seconds < 10) return `${seconds}.0 s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
function refreshTimes(within = document) {
  for (const time of within.querySelectorAll("time[data-relative]")) {
    const text = relative(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
  for (const time of within.querySelectorAll("time[data-elapsed]")) {
    const text = span(Math.max(0, Math.trunc((now() - Date.parse(time.dateTime)) / 1000)));
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(() => { if (!document.hidden) refreshTimes(); }, 1000);

// ---- heads of tables that stay in sight: a table that need not scroll sideways scrolls with the page ----
const widths = new ResizeObserver((seen) => {
  for (const wrap of new Set(seen.map(({ target }) => target.closest(".table-wrap")))) wrap?.toggleAttribute("data-whole", wrap.scrollWidth <= wrap.clientWidth);
});

// what is scrolled to its place is so once, and not again with each live update
const placed = new WeakSet();
function isNewHere(node) {
  if (placed.has(node)) return false;
  placed.add(node);
  return true;
}

// ---- messages that can be closed ----
function prepare(within = document) {
  for (const part of within.querySelectorAll(".table-wrap, .table-wrap > .table")) widths.observe(part);
  // the tab that is open is in sight where tabs do not fit beside each other
  for (const tabs of within.querySelectorAll(".tabs:has([aria-current])")) {
    if (isNewHere(tabs)) tabs.scrollLeft = tabs.querySelector("[aria-current]").offsetLeft - tabs.offsetLeft - 24;
  }
  // months that do not fit beside each other: the newest are what one looks for
  for (const wrap of within.querySelectorAll(".table-wrap:has(> .statement)")) {
    if (isNewHere(wrap)) wrap.scrollLeft = wrap.scrollWidth;
  }
  for (const button of within.querySelectorAll("[data-dismiss][hidden]")) button.hidden = false;
  for (const box of within.querySelectorAll("[data-select-all][hidden], [data-reads-into][hidden]")) box.hidden = false;
  count();
}
document.addEventListener("click", (event) => {
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".flash, .notice")?.remove();
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => { copy.title = "Copied"; });
});

// ---- a file that is read into a field ----
document.addEventListener("change", async (event) => {
  const target = event.target.dataset?.readsInto && element(event.target.dataset.readsInto);
  if (target && event.target.files[0]) target.value = await event.target.files[0].text();
});

// ---- rows that are ticked: the server keeps them over all pages ----
const boxesOf = (name) => [...document.querySelectorAll(`input[type=checkbox][name="${name}"]`)];
function count() {
  for (const place of document.querySelectorAll("[data-selection]")) {
    const boxes = boxesOf(place.dataset.selection);
    const ticked = boxes.filter((box) => box.checked).length;
    const elsewhere = Number(place.dataset.elsewhere ?? 0);
    const text = ticked + elsewhere === 0 ? "" : `${(ticked + elsewhere).toLocaleString("en-US")} selected${elsewhere ? `, ${elsewhere.toLocaleString("en-US")} on other pages` : ""}`;
    if (place.textContent !== text) place.textContent = text;
    place.closest("[data-live]")?.classList.toggle("has-selection", ticked + elsewhere > 0);
    const all = document.querySelector(`[data-select-all="${place.dataset.selection}"]`);
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  }
}
// one at a time, the latest wins: what is ticked last is what is kept
let keeping = Promise.resolve();
let unkept = 0;
function keepSelection(form) {
  unkept += 1;
  keeping = keeping.then(async () => {
    if (unkept === 1) {
      const body = new URLSearchParams(new FormData(form));
      await fetch(form.action, { method: "POST", body, headers: { "X-Live": "1" }, redirect: "manual", keepalive: true });
    }
  }).catch((error) => console.debug("what is ticked could not be kept; the next form says it again", error)).finally(() => { unkept -= 1; });
}
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-select-all]");
  if (all) for (const box of boxesOf(all.dataset.selectAll)) box.checked = all.checked;
  if (event.target.matches("[data-submits]")) {
    if (byKeys === event.target) undecided = event.target; else event.target.form?.requestSubmit();
  }
  const form = all ? boxesOf(all.dataset.selectAll)[0]?.form : event.target.form;
  // the tick is drawn first, then counted and kept
  requestAnimationFrame(() => setTimeout(() => {
    count();
    if (form?.matches("[data-keeps-selection]")) keepSelection(form);
  }));
});

// ---- what is sent as soon as it is chosen: with arrows a choice is made by Enter or by going on, or each step on the way would be one ----
let byKeys = null, undecided = null;
function decide(event) {
  if (undecided && undecided === event.target) undecided.form?.requestSubmit();
  undecided = null;
}
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("select[data-submits]") || event.key === "Tab") return;
  if (event.key !== "Enter") byKeys = event.target;
  else if (undecided) {
    // else it would open the list of choices
    event.preventDefault();
    decide(event);
  }
});
document.addEventListener("pointerdown", () => { byKeys = null; });
document.addEventListener("keyup", (event) => { if (event.key === "Enter") decide(event); });
document.addEventListener("focusout", (event) => { byKeys = null; decide(event); });

// ---- menus by keyboard: arrows go from item to item ----
document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const menu = step && (event.target.closest(".menu:popover-open") ?? element(event.target.getAttribute?.("popovertarget"))?.closest(".menu:popover-open"));
  if (!menu || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  const items = [...menu.querySelectorAll("a[href], button:not(:disabled), input:not([type=hidden]), select")];
  if (!items.length) return;
  event.preventDefault();
  const at = items.indexOf(event.target);
  items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus();
});

// ---- a question before a step that matters ----
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  const dialog = element("confirm");
  if (!question || !dialog || form.dataset.confirmed) return;
  event.preventDefault();
  element("confirm-title").textContent = event.submitter?.dataset.confirmTitle ?? form.dataset.confirmTitle ?? "Are you sure?";
  element("confirm-text").textContent = question;
  element("confirm-yes").className = `button button-${event.submitter?.matches(".button-danger, .is-danger") ? "danger" : "primary"}`;
  element("confirm-yes").textContent = event.submitter?.dataset.confirmYes ?? form.dataset.confirmYes ?? "Continue";
  const submitter = event.submitter;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
    delete form.dataset.confirmed;
  }, { once: true });
  dialog.showModal();
});

// ---- a page that stands for a drawer: Escape leads back, and the focus returns to what opened it ----
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
  if (event.target.matches("input, select, textarea")) return event.target.blur();
  document.querySelector("a[data-escape]")?.click();
});
if (location.hash) element(decodeURIComponent(location.hash.slice(1)))?.focus({ preventScroll: true });

// ---- one click is enough; and until the answer is here, at most so long, this page asks for nothing: what it shows may be what was just removed ----
const ANSWER_WITHIN = 15_000;
let quietUntil = 0;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "yes";
  event.target.setAttribute("aria-busy", "true");
  quietUntil = performance.now() + ANSWER_WITHIN;
});
addEventListener("pageshow", () => {
  quietUntil = 0;
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
});

// ---- a log entry beside the list it was opened from; the address is the entry's own ----
async function fill(drawer, address) {
  const answer = await fetch(address, { headers: { "X-Live": "1" }, redirect: "manual" });
  if (!answer.ok) return location.assign(address);
  const entry = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("entry");
  if (!entry) return location.assign(address);
  drawer.replaceChildren(document.importNode(entry, true));
  drawer.scrollTop = 0;
  refreshTimes(drawer);
  drawer.querySelector("a[rel=next], a[rel=prev], a")?.focus({ preventScroll: true });
}
function openDrawer(address) {
  const list = location.href;
  const opener = document.activeElement;
  const drawer = Object.assign(document.createElement("dialog"), { className: "drawer" });
  drawer.setAttribute("aria-label", "Log entry");
  document.body.append(drawer);
  // the list stays one step back
  history.pushState({ entry: true }, "", address);
  drawer.addEventListener("close", () => {
    drawer.remove();
    if (history.state?.entry) history.back();
    opener?.focus();
  });
  drawer.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (event.target === drawer || link?.matches("[data-drawer-close]")) { event.preventDefault(); drawer.close(); return; }
    if (!link || event.metaKey || event.ctrlKey || !link.getAttribute("href").startsWith("/integrations/logs/entries/")) return;
    event.preventDefault();
    // the address follows what is shown, so that a second key finds the neighbours of what is seen
    fill(drawer, link.href).then(() => { if (drawer.isConnected) history.replaceState({ entry: true, list }, "", link.href); });
  });
  fill(drawer, address).then(() => { if (drawer.isConnected) drawer.showModal(); });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  openDrawer(link.href);
});
addEventListener("popstate", () => {
  const drawer = document.querySelector("dialog.drawer");
  if (drawer && !history.state?.entry) drawer.close();
  else if (!drawer && history.state?.entry) location.reload();
});
document.addEventListener("keydown", (event) => {
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const entry = element("entry");
  if (!rel || !entry || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  const link = entry.querySelector(`a[rel=${rel}]`);
  if (link) { event.preventDefault(); link.click(); }
});

// ---- fragments: replaced in place, keeping focus, ticks and what is open ----
const key = (node) => node.nodeType === 1 ? node.id || node.dataset.key || "" : "";
function kept(name, node) {
  if (name === "open") return node.localName === "details" || node.localName === "dialog";
  return name === "data-sent" || name === "aria-busy" || name === "data-whole" || (name === "hidden" && (node.hasAttribute("data-dismiss") || node.hasAttribute("data-select-all")));
}
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType !== 1) { if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue; return; }
  for (const { name, value } of [...to.attributes]) if (!kept(name, from) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!kept(name, from) && !to.hasAttribute(name)) from.removeAttribute(name);
  const keyed = new Map([...from.childNodes].filter(key).map((node) => [key(node), node]));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    let match = key(next) ? keyed.get(key(next)) : at;
    if (match && !key(next)) while (match && key(match) && to.ownerDocument && [...to.children].some((child) => key(child) === key(match))) match = match.nextSibling;
    if (match && match.nodeName === next.nodeName && key(match) === key(next)) {
      if (match !== at) from.insertBefore(match, at); else at = at.nextSibling;
      morph(match, next);
    } else {
      from.insertBefore(document.importNode(next, true), at);
    }
  }
  while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
}

// A region marked data-live="count" never moves under the reader: what is new on the server is counted by the data-key of its rows, and the link
// [data-news-of="its id"] says so; following it shows them.
function countNews(region, next) {
  const known = new Set([...region.querySelectorAll("[data-key]")].map(key));
  const fresh = [...next.querySelectorAll("[data-key]")].filter((row) => !known.has(key(row))).length;
  const news = document.querySelector(`[data-news-of="${region.id}"]`);
  if (!news) return;
  const words = fresh ? `${fresh} new` : "";
  if (news.textContent !== words) news.textContent = words;
  news.hidden = !fresh;
}

let refreshing = false;
let again = false;
let timer = 0;
function look() { timer = 0; refresh(); }
async function refresh() {
  const quiet = quietUntil - performance.now();
  if (quiet > 0) { timer ||= setTimeout(look, quiet); return; }
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    const byAddress = new Map();
    for (const node of document.querySelectorAll("[data-live][id]")) {
      const isHere = ["self", "count", ""].includes(node.dataset.live);
      const address = isHere ? location.pathname + location.search : node.dataset.live;
      byAddress.set(address, [...(byAddress.get(address) ?? []), node.id]);
    }
    for (const [address, ids] of byAddress) {
      const answer = await fetch(address, { headers: { "X-Live": "1" }, redirect: "manual" });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) continue;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (page.body.dataset.now) behind = Number(page.body.dataset.now) - Date.now();
      for (const id of ids) {
        const [shown, next] = [element(id), page.getElementById(id)];
        if (shown && next) shown.dataset.live === "count" ? countNews(shown, next) : morph(shown, next);
      }
    }
    prepare();
    refreshTimes();
  } catch (error) {
    console.debug("the page could not be refreshed; the next event tries again", error);
  } finally {
    refreshing = false;
    if (again) { again = false; setTimeout(refresh, 300); }
  }
}

// ---- one stream for each tab; closed while nobody looks ----
let stream = null;
const mark = element("live");
function show(state, word, title) {
  if (!mark) return;
  mark.hidden = false;
  mark.dataset.state = state;
  mark.title = title;
  if (mark.textContent !== word) mark.replaceChildren(Object.assign(document.createElement("span"), { textContent: word }));
}
function connect() {
  if (stream || !document.body.dataset.events) return;
  stream = new EventSource(document.body.dataset.events);
  // at every opening, the first too: a short sync can end between the making of the page and the beginning of its stream
  stream.addEventListener("open", () => {
    show("on", "live", "This page follows what the server does");
    refresh();
  });
  // several changes at once are one look; changes that never stop do not put it off
  stream.addEventListener("change", () => { timer ||= setTimeout(look, 150); });
  stream.addEventListener("gap", refresh);
  stream.addEventListener("end", () => location.reload());
  stream.addEventListener("error", () => {
    show("off", "reconnecting", "The connection is lost; this page shows what it knew last");
    // browsers give up where something in between answers in the server's place
    if (stream?.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(() => { if (!document.hidden) { connect(); refresh(); } }, 3000);
    }
  });
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stream?.close(); stream = null; } else if (!stream) { connect(); refresh(); }
});
addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", (event) => { if (event.persisted) { connect(); refresh(); } });

prepare();
refreshTimes();
if (!document.hidden) connect();
