"use strict";
// What the page does: it shows, hides and moves what was drawn, and says the rest with textContent. Nothing that comes with the data is ever HTML.
(() => {
const $ = id => document.getElementById(id);
const looks = {holds: ["✓", "in order"], waits: ["!", "waiting for somebody"], broken: ["✗", "broken"], unknown: ["?", "not known"], begun: ["…", "under way"], ended: ["–", "ended or refused"]};
const step = 50;        // rows of the table at a time
const tabStops = 100;   // connections that Tab goes through; more are reached by the arrow keys
let data, svg, marks, drawnEnds, drawnNets, drawnAccounts, order, texts, units, shown = [], rows = step, chosen = -1, back = null, view, scaleAt = -1;

const el = (name, text, attributes) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  for (const k in attributes || {}) e.setAttribute(k, attributes[k]);
  return e;
};

// ---- the data

function take(d) {
  data = d;
  svg = $("drawing");
  marks = data.connections.map(() => []);
  for (const e of svg.querySelectorAll("[data-c]")) marks[+e.dataset.c].push(e);
  drawnEnds = [...svg.querySelectorAll("[data-end]")].map(e => [e, +e.dataset.end]);
  drawnNets = [...svg.querySelectorAll("[data-network]")].map(e => [e, +e.dataset.network]);
  drawnAccounts = [...svg.querySelectorAll("[data-account]")].map(e => [e, data.accounts[+e.dataset.account].id]);
  const rank = ["broken", "waits", "unknown", "begun", "holds", "ended"]; // what needs somebody stands first in the table
  order = data.connections.map((c, n) => n).sort((a, b) => rank.indexOf(data.connections[a].look) - rank.indexOf(data.connections[b].look) || a - b);
  const account = new Map(data.accounts.map(a => [a.id, a])), parent = new Map(data.units.map(u => [u.id, u.parent]));
  units = new Map(data.accounts.map(a => {
    const all = new Set();
    for (let u = a.unit; u && !all.has(u); u = parent.get(u)) all.add(u);
    return [a.id, all];
  }));
  texts = data.connections.map(c => {
    const accounts = new Set(), nets = new Set(c.sides), ends = new Set();
    for (const p of c.paths) { ends.add(p.client); ends.add(p.database); }
    for (const e of ends) { nets.add(data.ends[e].network); accounts.add(data.ends[e].account); }
    const words = [c.id, c.kind, c.state, looks[c.look][1], c.reason, c.policy, c.asked, c.waits];
    for (const n of nets) { const x = data.networks[n]; accounts.add(x.account); words.push(x.id, x.region, ...(x.cidrs || [])); }
    for (const e of ends) words.push(data.ends[e].name);
    for (const p of c.paths) words.push(p.hop);
    const in_ = new Set();
    for (const a of accounts) { words.push(a, (account.get(a) || {}).name); for (const u of units.get(a) || []) in_.add(u); }
    return {words: words.filter(Boolean).join("\n").toLowerCase(), accounts, units: in_, nets, ends};
  });
}

function options(id, all) {
  const select = $(id), had = select.value;
  select.replaceChildren(select.options[0], ...all.map(([value, text]) => el("option", text, {value})));
  select.value = all.some(([v]) => v === had) ? had : "";
}

function choices() {
  options("account", data.accounts.map(a => [a.id, a.name ? `${a.id} ${a.name}` : a.id]));
  options("unit", data.units.map(u => [u.id, u.name || u.id]));
  const states = [...new Set(data.connections.map(c => c.state || "begun"))].sort();
  options("state", [...Object.keys(looks).map(k => ["look:" + k, `${looks[k][0]} ${looks[k][1]}`]), ...states.map(s => [s, s])]);
  options("kind", [...new Set(data.connections.map(c => c.kind))].sort().map(k => [k, k]));
}

// ---- filter

function filter() {
  const started = performance.now();
  const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean), account = $("account").value, unit = $("unit").value, state = $("state").value, kind = $("kind").value;
  const all = !(words.length || account || unit || state || kind);
  shown = [];
  const nets = new Set(), ends = new Set();
  for (const n of order) {
    const c = data.connections[n], t = texts[n];
    const hit = (!account || t.accounts.has(account)) && (!unit || t.units.has(unit)) && (!kind || c.kind === kind) &&
      (!state || (state.startsWith("look:") ? c.look === state.slice(5) : (c.state || "begun") === state)) && words.every(w => t.words.includes(w));
    if (hit) { shown.push(n); t.nets.forEach(x => nets.add(x)); t.ends.forEach(x => ends.add(x)); }
    for (const e of marks[n]) e.classList.toggle("gone", !hit);
  }
  for (const [e, n] of drawnEnds) e.classList.toggle("dim", !all && !ends.has(n));
  for (const [e, n] of drawnNets) e.classList.toggle("dim", !all && !nets.has(n));
  const accounts = new Set([...nets].map(n => data.networks[n].account));
  for (const [e, id] of drawnAccounts) e.classList.toggle("dim", !all && !accounts.has(id));
  svg.classList.toggle("few", shown.length <= 80);
  stops();
  rows = step;
  table();
  fit(all);
  $("found").textContent = all ? (data.connections.length > 500 ? "From afar, what is in order is faint. Filter, or look nearer, to see names." : "") : `${shown.length} of ${data.connections.length} connections`;
  document.body.dataset.filtered = (performance.now() - started).toFixed(1);
}

// stops says through what Tab goes.
function stops() {
  let k = 0;
  for (const n of shown) {
    const first = marks[n].find(e => e.hasAttribute("role"));
    if (first) first.setAttribute("tabindex", k++ < tabStops ? "0" : "-1");
  }
}

// ---- the table

function names(c) {
  const side = n => { const x = data.networks[n]; return x ? `${x.account} ${x.id}` : ""; };
  // Of a database that lets accounts in, whom it lets in.
  const callers = [...new Set(c.paths.map(p => `${data.ends[p.client].account} ${data.ends[p.client].name}`))];
  if (["data-api", "studio"].includes(c.kind)) return [callers.join(", "), side(c.sides[0])];
  return [side(c.sides[0]), c.sides.length > 1 ? c.sides.slice(1).map(side).join(", ") : ""];
}

function table() {
  const body = $("rows");
  body.replaceChildren(...shown.slice(0, rows).map(n => {
    const c = data.connections[n], tr = el("tr"), [from, to] = names(c), bad = c.paths.filter(p => p.hop);
    const cell = (label, text, cls) => { const td = el("td", text, {"data-label": label}); if (cls) td.className = cls; tr.append(td); return td; };
    cell("State", `${looks[c.look][0]} ${c.state || "begun"}`, "state");
    const open_ = el("button", c.id, {type: "button"});
    open_.addEventListener("click", () => open(n, open_));
    cell("Connection").append(open_, " " + c.kind);
    cell("From", from);
    cell("To", to);
    cell("Paths", c.all ? `${c.whole || 0} of ${c.all} whole` : "");
    cell("Ends at", [...new Set(bad.map(p => p.hop))].join(", "));
    cell("Policy", c.policy || "", "policy");
    return tr;
  }));
  $("more").hidden = shown.length <= rows;
}

// ---- details

function open(n, from) {
  const c = data.connections[n], body = $("detail-body"), list = el("dl"), [a, b] = names(c);
  choose(n);
  if (from) back = from;
  $("detail-title").textContent = `${looks[c.look][0]} ${c.kind} ${c.id}`;
  const say = (name, text) => { if (text) list.append(el("dt", name), el("dd", text)); };
  const when = t => t ? t.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC") : "";
  say("State", `${c.state || "begun"}: ${looks[c.look][1]}`);
  say("Reason", c.reason);
  say("From", a);
  say("To", b);
  say("Decided by policy", c.policy);
  say("Asked by", c.asked);
  say("Approved", c.approved ? `${c.approved} lines of what the owner was asked` : "");
  say("Waits", c.waits);
  say("Ends by itself", when(c.until));
  for (const x of c.contested || []) say("Taken away", x);
  for (const x of c.held || []) say("Held back", x);
  body.replaceChildren(list);
  const section = (title, items) => {
    if (!items.length) return;
    const ul = el("ul");
    ul.append(...items);
    body.append(el("h3", title), ul);
  };
  section(`Verdict${c.judged ? ", judged " + when(c.judged) : ""}${c.all ? `: ${c.whole || 0} of ${c.all} paths whole` : ""}`, c.paths.map(p => {
    const li = el("li", `${looks[p.look][0]} ${data.ends[p.client].name} → ${data.ends[p.database].name}:${p.port}`);
    if (p.hop) li.append(`: ${p.look === "broken" ? "breaks" : "is not known"} at ${p.hop}${p.owner ? `, which is account ${p.owner}'s` : ""}. ${p.detail || ""}`);
    if (p.remedy) li.append(el("div", "Remedy: " + p.remedy));
    return li;
  }));
  section("History, as far as the ledger has it", c.history.map(e => {
    const li = el("li", `${e.at ? when(e.at) : "at an unknown time"}: ${e.what}`);
    if (e.who) li.append(el("span", ` (${e.who})`, {class: "soft"}));
    return li;
  }).concat(c.earlier ? [el("li", `and ${c.earlier} lines more`)] : []));
  if (c.commands.length) body.append(el("h3", "Commands"));
  for (const x of c.commands) body.append(el("div", x.for), el("pre", x.text));
  $("detail").hidden = false;
  if (from) { $("detail-title").focus({preventScroll: true}); $("detail").scrollIntoView({block: "nearest"}); }
}

function close() {
  if ($("detail").hidden) return false;
  $("detail").hidden = true;
  choose(-1);
  if (back && back.isConnected) back.focus();
  back = null;
  return true;
}

function choose(n) {
  if (chosen >= 0 && marks[chosen]) for (const e of marks[chosen]) e.classList.remove("chosen");
  chosen = n;
  if (n >= 0) for (const e of marks[n]) e.classList.add("chosen");
}

// ---- where the drawing is looked at

function show() {
  const s = scale();
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  if (s === scaleAt) return;
  scaleAt = s;
  svg.classList.toggle("far", s < .3);
  svg.style.setProperty("--far", s < .3 ? (1 / s).toFixed(2) : 1); // what keeps its size however far it is
}
const scale = () => { const r = svg.getBoundingClientRect(); return Math.min(r.width / view.w, r.height / view.h); };

function whole() { return {x: 0, y: 0, w: +svg.dataset.width, h: +svg.dataset.height}; }

function fit(all) {
  let box = whole();
  let r = svg.getBoundingClientRect();
  if (all !== true && shown.length && shown.length < data.connections.length) {
    const nets = new Set();
    for (const n of shown) texts[n].nets.forEach(x => nets.add(x));
    let x0 = Infinity, y0 = Infinity, x1 = 0, y1 = 0;
    for (const [e, n] of drawnNets) if (nets.has(n)) {
      const q = e.querySelector("rect"), x = +q.getAttribute("x"), y = +q.getAttribute("y");
      x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x + +q.getAttribute("width")); y1 = Math.max(y1, y + +q.getAttribute("height"));
    }
    if (x1) box = {x: x0 - 40, y: y0 - 70, w: x1 - x0 + 80, h: y1 - y0 + 110};
  }
  // As high as the whole drawing is at the width that there is.
  const full = whole(), wide = Math.min(Math.max(r.width / full.w, r.width > 640 ? 0 : .8), 1.4);
  $("canvas").style.height = `${Math.round(Math.min(Math.max(full.h * wide + 2, 220), innerHeight * .68, 900))}px`;
  r = svg.getBoundingClientRect();
  // No larger than at full size; on a small screen a small drawing is cut rather than made too small to read.
  let s = Math.min(r.width / box.w, r.height / box.h, 1.4);
  if (all === true && s < .8 && box.w < 1600) s = Math.min(.8, Math.max(s, r.width > 640 ? .62 : .8));
  view = {x: box.x, y: box.y, w: r.width / s || box.w, h: r.height / s || box.h};
  if (view.w > box.w) view.x -= (view.w - box.w) / 2;
  if (view.h > box.h) view.y -= (view.h - box.h) / 2;
  show();
}

function zoom(by, x, y) {
  const cx = x === undefined ? view.x + view.w / 2 : x, cy = y === undefined ? view.y + view.h / 2 : y;
  const limit = whole(), w = Math.min(Math.max(view.w * by, 120), Math.max(limit.w, 900) * 3), k = w / view.w;
  view = {x: cx - (cx - view.x) * k, y: cy - (cy - view.y) * k, w, h: view.h * k};
  show();
}

function point(e) {
  const m = svg.getScreenCTM();
  return [(e.clientX - m.e) / m.a, (e.clientY - m.f) / m.d];
}

function pointers() {
  const down = new Map();
  let moved = 0, apart = 0;
  const canvas = $("canvas");
  canvas.addEventListener("wheel", e => { e.preventDefault(); zoom(Math.exp(e.deltaY * .0015), ...point(e)); }, {passive: false});
  canvas.addEventListener("pointerdown", e => { down.set(e.pointerId, e); moved = 0; apart = 0; });
  window.addEventListener("pointermove", e => {
    if (!down.has(e.pointerId)) return;
    const was = down.get(e.pointerId), s = scale();
    down.set(e.pointerId, e);
    if (down.size === 1) {
      moved += Math.abs(e.clientX - was.clientX) + Math.abs(e.clientY - was.clientY);
      if (moved > 4) { view.x -= (e.clientX - was.clientX) / s; view.y -= (e.clientY - was.clientY) / s; show(); }
    } else if (down.size === 2) {
      const [a, b] = [...down.values()], d = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (apart) zoom(apart / d);
      apart = d; moved = 9;
    }
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, e => down.delete(e.pointerId));
  canvas.addEventListener("click", e => {
    if (moved > 4) return;
    const c = e.target.closest("[data-c]"), end = e.target.closest("[data-end]"), account = e.target.closest("[data-account]");
    if (c) return open(+c.dataset.c, marks[+c.dataset.c].find(x => x.hasAttribute("role")));
    if (end) { $("q").value = data.ends[+end.dataset.end].name; return filter(); }
    if (account) { $("account").value = data.accounts[+account.dataset.account].id; filter(); }
  });
}

function keys() {
  $("canvas").addEventListener("keydown", e => {
    const c = e.target.closest("[data-c]");
    if (!c) return;
    const n = +c.dataset.c;
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); open(n, c); }
    const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[e.key];
    if (!by) return;
    e.preventDefault();
    const all = [...svg.querySelectorAll('[role="button"]:not(.gone)')], next = all[(all.indexOf(c) + by + all.length) % all.length];
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  svg.parentNode.addEventListener("focusin", e => { // what has the focus is seen
    const c = e.target.closest("[data-c]");
    if (!c || !c.matches(":focus-visible")) return;
    const b = c.getBBox(), x = b.x + b.width / 2, y = b.y + b.height / 2;
    if (x < view.x || y < view.y || x > view.x + view.w || y > view.y + view.h) { view.x = x - view.w / 2; view.y = y - view.h / 2; show(); }
  });
  document.addEventListener("keydown", e => {
    if (e.key !== "Escape") return;
    if (!close() && e.target === $("q")) { $("q").value = ""; filter(); }
  });
}

// ---- live

function live() {
  const seconds = +document.body.dataset.live;
  if (!seconds) return;
  let tag = "", lost = false;
  const ask = async () => {
    try {
      const got = await fetch("map.json", {headers: tag ? {"If-None-Match": tag} : {}, cache: "no-store"});
      if (got.status === 200) {
        const fresh = await got.json(), drawn = await fetch("map.svg", {cache: "no-store"});
        if (drawn.ok && drawn.headers.get("ETag") === got.headers.get("ETag")) {
          if (tag) renew(fresh, await drawn.text());
          tag = got.headers.get("ETag");
        }
      } else if (got.status !== 304) throw new Error(`it answered ${got.status}`);
      if (lost) $("status").textContent = "";
      lost = false;
    } catch (e) {
      lost = true;
      $("status").textContent = "? This is not live any more: Drawbridge does not answer.";
    }
    setTimeout(ask, seconds * 1000);
  };
  ask();
}

function renew(fresh, drawn) {
  const id = chosen >= 0 ? data.connections[chosen].id : "", had = view, size = JSON.stringify(whole()), wasOpen = !$("detail").hidden;
  const focused = document.activeElement && document.activeElement.closest && document.activeElement.closest("[data-c]");
  const focusedID = focused ? data.connections[+focused.dataset.c].id : "", before = new Map(data.connections.map(c => [c.id, c.state + c.look + c.whole]));
  const next = new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement;
  if (next.nodeName !== "svg") throw new Error("no drawing");
  svg.replaceWith(document.importNode(next, true));
  chosen = -1;
  take(fresh);
  choices();
  scaleAt = -1;
  filter();
  if (JSON.stringify(whole()) === size) { view = had; show(); }
  const at = data.connections.findIndex(c => c.id === id);
  if (wasOpen && at >= 0) { open(at); back = marks[at].find(x => x.hasAttribute("role")) || null; }
  const again = data.connections.findIndex(c => c.id === focusedID);
  if (focusedID && again >= 0) { const f = marks[again].find(x => x.hasAttribute("role")); if (f) f.focus(); }
  $("sentence").textContent = fresh.sentence;
  $("hub").textContent = fresh.where;
  const changed = data.connections.filter(c => before.get(c.id) !== c.state + c.look + c.whole);
  $("status").textContent = changed.length === 1 ? `${changed[0].id} is ${changed[0].state || "begun"} now: ${looks[changed[0].look][1]}` : changed.length ? `${changed.length} connections changed` : "";
}

// ---- begin

function legend() {
  const ns = "http://www.w3.org/2000/svg", make = (name, attributes, text) => {
    const e = document.createElementNS(ns, name);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (text) e.textContent = text;
    return e;
  };
  for (const k of Object.keys(looks)) {
    const s = make("svg", {class: "drawing", viewBox: "0 0 40 18", "aria-hidden": "true"}), g = make("g", {class: "line " + k});
    g.append(make("path", {class: "stroke", d: "M0 9h40"}), make("circle", {class: "mark", cx: 20, cy: 9, r: 8}), make("text", {class: "sign", x: 20, y: 13}, looks[k][0]));
    s.append(g);
    const li = el("li");
    li.append(s, looks[k][1]);
    $("legend").append(li);
  }
}

const started = performance.now();
take(JSON.parse($("data").textContent));
legend();
choices();
filter();
pointers();
keys();
let typing;
$("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filter, data.connections.length > 500 ? 120 : 0); });
for (const id of ["account", "unit", "state", "kind"]) $(id).addEventListener("change", filter);
$("filter").addEventListener("submit", e => e.preventDefault());
$("filter").addEventListener("reset", () => setTimeout(filter));
$("in").addEventListener("click", () => zoom(.7));
$("out").addEventListener("click", () => zoom(1 / .7));
$("fit").addEventListener("click", () => fit(shown.length === data.connections.length));
$("close").addEventListener("click", close);
$("more").addEventListener("click", () => { const at = rows; rows += step; table(); const b = $("rows").children[at]; if (b) b.querySelector("button").focus(); });
let kept;
window.addEventListener("beforeprint", () => { kept = view; $("canvas").style.height = ""; svg.classList.remove("far"); const w = whole(); svg.setAttribute("viewBox", `0 0 ${w.w} ${w.h}`); });
window.addEventListener("afterprint", () => { if (kept) { fit(shown.length === data.connections.length); view = kept; scaleAt = -1; show(); } });
window.addEventListener("resize", () => fit(shown.length === data.connections.length));
document.body.dataset.ready = (performance.now() - started).toFixed(1);
live();
})();
