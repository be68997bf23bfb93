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

// ---- relative times ----
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
function relative(instant) {
  const seconds = Math.trunc((Date.now() - instant) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const [unit, length] = UNITS.find(([, length]) => size >= length);
  const count = Math.floor(size / length);
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds >= 0 ? `${words} ago` : `in ${words}`;
}
function refreshTimes(within = document) {
  for (const time of within.querySelectorAll("time[data-relative]")) {
    const text = relative(Date.parse(time.dateTime));
    if (text && time.textContent !== text) time.textContent = text;
  }
}
setInterval(refreshTimes, 20000);

// ---- messages that can be closed ----
function prepare(within = document) {
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

// ---- rows that are ticked ----
function count() {
  for (const place of document.querySelectorAll("[data-selection]")) {
    const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${place.dataset.selection}"]`)];
    const ticked = boxes.filter((box) => box.checked).length;
    place.textContent = ticked ? `${ticked} selected` : "";
    const all = document.querySelector(`[data-select-all="${place.dataset.selection}"]`);
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  }
}
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-select-all]");
  if (all) for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.selectAll}"]`)) box.checked = all.checked;
  if (event.target.matches("[data-submits]")) event.target.form?.requestSubmit();
  count();
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

// ---- one click is enough ----
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "yes";
  event.target.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
});

// ---- fragments: replaced in place, keeping focus, ticks and what is open ----
const key = (node) => node.nodeType === 1 ? node.id || node.dataset.key || "" : "";
function kept(name, node) {
  if (name === "open") return node.localName === "details" || node.localName === "dialog";
  return name === "data-sent" || name === "aria-busy" || (name === "hidden" && (node.hasAttribute("data-dismiss") || node.hasAttribute("data-select-all")));
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

let refreshing = false;
let again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    const byAddress = new Map();
    for (const node of document.querySelectorAll("[data-live][id]")) {
      const address = node.dataset.live === "self" || !node.dataset.live ? location.pathname + location.search : node.dataset.live;
      byAddress.set(address, [...(byAddress.get(address) ?? []), node.id]);
    }
    for (const [address, ids] of byAddress) {
      const answer = await fetch(address, { headers: { "X-Live": "1" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) return location.reload();
      if (!answer.ok) continue;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ids) {
        const [now, next] = [element(id), page.getElementById(id)];
        if (now && next) morph(now, next);
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
let timer = 0;
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
  stream.addEventListener("change", () => { clearTimeout(timer); timer = setTimeout(refresh, 150); });
  stream.addEventListener("end", () => location.reload());
  stream.addEventListener("error", () => show("off", "reconnecting", "The connection is lost; this page shows what it knew last"));
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stream?.close(); stream = null; } else if (!stream) { connect(); refresh(); }
});
addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", (event) => { if (event.persisted) { connect(); refresh(); } });

prepare();
refreshTimes();
if (!document.hidden) connect();
