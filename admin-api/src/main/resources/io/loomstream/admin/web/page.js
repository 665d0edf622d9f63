// The page of a Loomstream server: reads the same API that everybody may use; see /docs.
'use strict';

const $ = id => document.getElementById(id);
const TOKEN = 'loomstream-token';
const TIERS = ['hot', 'cold_clean', 'cold_dirty', 'seeding', 'failed', 'discovered', 'ignored', 'gone'];
const NAMES = { cold_clean: 'cold', cold_dirty: 'waiting' };
const GROUPS = { cold_clean: 'cold', cold_dirty: 'cold' };
/** USD for one thousand requests in S3 Standard, us-east-1: PUT, POST, LIST; GET and all others; DELETE is free. */
const PRICE = { put: 0.005, list: 0.005, create_multipart: 0.005, upload_part: 0.005, complete_multipart: 0.005, get: 0.0004, head: 0.0004 };
const KEPT_POINTS = 90;
const FEWEST_POINTS = 20;
const KEPT_EVENTS = 100;
const HOT_ROWS = 7;

const number = new Intl.NumberFormat('en');
const points = { lag: [], copies: [] };
let before = null;
let cursor = '';
/** Orders that this server takes, as its description says. */
let orders = [];

function element(name, text, classes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

// ---- asking

class Refused extends Error {}

function headers(token = sessionStorage.getItem(TOKEN)) {
  return token ? { Authorization: 'Bearer ' + token } : {};
}

async function ask(path, method = 'GET') {
  const token = sessionStorage.getItem(TOKEN);
  let answer;
  try {
    answer = await fetch(path, { method, headers: headers(token) });
  } catch {
    throw new Error('the server does not answer');
  }
  if (answer.status === 401) {
    // The answer to an earlier token may come after the next one was given.
    if (sessionStorage.getItem(TOKEN) !== token) return ask(path, method);
    askForToken(token ? 'That token was not the right one.' : 'This server asks for a token.');
    throw new Refused('a token is needed');
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || answer.statusText);
  return body;
}

function askForToken(reason) {
  $('token-reason').textContent = reason;
  if (!$('token-dialog').open) $('token-dialog').showModal();
}

$('token-form').addEventListener('submit', () => {
  sessionStorage.setItem(TOKEN, $('token').value);
  $('token').value = '';
  start();
});

function say(text, bad = false) {
  $('state').textContent = text;
  $('state').classList.toggle('bad', bad);
}

function complain(error) {
  $('problem').hidden = !error;
  $('problem').textContent = error ? error.message : '';
}

// ---- figures

function showTiers(tiers) {
  const shown = TIERS.filter(tier => tiers.databases[tier] > 0 || ['hot', 'cold_clean', 'cold_dirty', 'failed'].includes(tier))
    .map(tier => [tier, NAMES[tier] || tier, tiers.databases[tier], GROUPS[tier] || tier]);
  if (tiers.named > 0) shown.unshift(['named', 'by name', tiers.named, 'hot']);
  const list = $('tiers');
  for (const [key, name, count, group] of shown) {
    let tile = list.querySelector(`[data-tier="${key}"]`);
    if (!tile) {
      tile = element('li');
      tile.dataset.tier = key;
      const button = element('button');
      button.type = 'button';
      button.append(element('strong'), element('span', name, 'tier ' + group));
      button.addEventListener('click', () => { $('tier').value = group; loadList(); });
      tile.append(button);
      list.append(tile);
    }
    tile.querySelector('strong').textContent = number.format(count);
  }
}

function draw(id, values) {
  const top = Math.max(...values, 1e-9);
  const line = values.map((value, i) => `${(i * 240 / Math.max(FEWEST_POINTS, values.length - 1)).toFixed(1)},${(46 - 44 * value / top).toFixed(1)}`);
  const svg = $(id);
  if (!svg.firstChild) svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'polyline'));
  svg.firstChild.setAttribute('points', line.join(' '));
}

function keep(series, value) {
  series.push(value);
  if (series.length > KEPT_POINTS) series.shift();
}

function showStats(stats) {
  const now = performance.now();
  if (before) {
    const copies = stats.replicated.copies - before.copies;
    const lag = copies > 0 ? (stats.replicated.lagSeconds - before.lag) / copies : 0;
    keep(points.copies, copies * 1000 / (now - before.at));
    keep(points.lag, lag);
    $('lag-now').textContent = lag.toFixed(2) + ' s';
    $('copies-now').textContent = points.copies.at(-1).toFixed(1);
    draw('lag', points.lag);
    draw('copies', points.copies);
  }
  before = { at: now, copies: stats.replicated.copies, lag: stats.replicated.lagSeconds };
  const rows = [
    ['Up', duration(stats.uptimeSeconds)],
    ['Heap', (stats.heapBytes / 1048576).toFixed(0) + ' MB'],
    ['Scans', number.format(stats.scans.count)],
    ['Queued uploads', number.format(stats.queues.uploads)],
  ];
  if (stats.s3) {
    const requests = Object.values(stats.s3.requests).reduce((sum, count) => sum + count, 0);
    const dollars = Object.entries(stats.s3.requests).reduce((sum, [kind, count]) => sum + (PRICE[kind] || 0) * count / 1000, 0);
    rows.push(['S3 requests', number.format(requests)]);
    rows.push(['S3 cost, estimated', '$' + (dollars * 86400 / Math.max(60, stats.uptimeSeconds)).toFixed(2) + ' / day']);
    const open = stats.s3.endpoints.filter(endpoint => endpoint.breaker !== 'closed').length;
    if (open > 0) rows.push(['S3 endpoints failing', open]);
  }
  $('cost').replaceChildren(...rows.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
  say(`version ${stats.version}`);
}

function duration(seconds) {
  if (seconds < 120) return Math.round(seconds) + ' s';
  if (seconds < 7200) return Math.round(seconds / 60) + ' min';
  return seconds < 172800 ? Math.round(seconds / 3600) + ' h' : Math.round(seconds / 86400) + ' d';
}

function showGates(gates) {
  $('gates').replaceChildren(...gates.items.map(gate => {
    const row = element('li', gate.name);
    const meter = element('meter');
    meter.max = gate.permits;
    meter.value = gate.inUse;
    meter.setAttribute('aria-label', gate.name);
    row.append(meter, element('span', `${gate.inUse} / ${gate.permits}`));
    return row;
  }));
}

async function refresh() {
  try {
    const [tiers, stats, gates, hot] = await Promise.all([ask('/tiers'), ask('/stats'), ask('/gates'), ask('/hot-list?limit=' + HOT_ROWS)]);
    showTiers(tiers);
    showStats(stats);
    showGates(gates);
    showHot(hot.items);
  } catch (error) {
    say(error instanceof Refused ? 'waiting for the token' : error.message, true);
  }
}

// ---- the list

function ago(text) {
  if (!text) return '—';
  const seconds = (Date.now() - Date.parse(text)) / 1000;
  return seconds < 1 ? 'now' : duration(seconds) + ' ago';
}

function nameCell(database) {
  const name = element('td', database.tenant);
  name.append(element('small', database.path));
  return name;
}

function lag(database) {
  return database.lagSeconds.toFixed(1) + ' s';
}

function showHot(items) {
  $('hot').hidden = items.length === 0;
  $('no-hot').hidden = items.length > 0;
  $('hot').tBodies[0].replaceChildren(...items.map(database => {
    const made = element('tr');
    made.append(nameCell(database), element('td', lag(database)), element('td', ago(database.lastWrite)));
    return made;
  }));
}

function verbs(database) {
  const wanted = [database.tier === 'hot' ? 'demote' : 'promote', 'sync', 'snapshot', database.paused ? 'resume' : 'pause'];
  if (database.tier === 'failed') wanted.push('retry');
  return database.state === 'named' ? [] : wanted.filter(verb => orders.includes(verb));
}

function row(database) {
  const made = element('tr');
  made.dataset.id = database.id;
  const tier = element('td');
  tier.append(element('span', database.tier, 'tier ' + database.tier));
  if (database.state === 'cold_dirty') tier.append(' waiting');
  if (database.paused) tier.append(' paused');
  const position = element('td', database.txidLocal ? String(parseInt(database.txidLocal, 16)) : '—');
  if (database.txidLocal && database.txidLocal !== database.txidRemote) position.append(element('small', 'replica ' + (database.txidRemote ? parseInt(database.txidRemote, 16) : '—')));
  const actions = element('td');
  for (const verb of verbs(database)) {
    const button = element('button', verb);
    button.type = 'button';
    button.setAttribute('aria-label', `${verb} ${database.tenant}`);
    button.addEventListener('click', () => order(database.id, verb));
    actions.append(button);
  }
  made.append(nameCell(database), tier, position, element('td', lag(database)), element('td', ago(database.lastWrite)), actions);
  return made;
}

async function order(id, verb) {
  try {
    await ask(`/dbs/${id}/${verb}`, 'POST');
    complain(null);
  } catch (error) {
    complain(error);
  }
  await update(id);
}

function shown(id) {
  return document.querySelector(`tr[data-id="${id}"]`);
}

/** Replaces rows without taking the focus: a key pressed in between would do nothing. */
function keepingFocus(replace) {
  const focused = document.activeElement;
  const id = focused?.closest('tr[data-id]')?.dataset.id;
  const button = id ? [...shown(id).querySelectorAll('button')].indexOf(focused) : -1;
  replace();
  if (button >= 0) shown(id)?.querySelectorAll('button')[button]?.focus();
}

/** The newest question for each database that is asked just now: an answer that was overtaken is not shown. */
const updating = new Map();

async function update(id) {
  movedMeanwhile?.add(id);
  if (!shown(id)) {
    reloadSoon();
    return;
  }
  const turn = {};
  updating.set(id, turn);
  try {
    const database = await ask('/dbs/' + id);
    if (updating.get(id) !== turn) return;
    const fresh = row(database);
    fresh.classList.add('fresh');
    keepingFocus(() => shown(id)?.replaceWith(fresh));
  } catch (error) {
    if (!(error instanceof Refused)) shown(id)?.remove();
  } finally {
    if (updating.get(id) === turn) updating.delete(id);
  }
}

let asked = 0;
/** The databases that moved while a list is asked for: its rows may be from before. */
let movedMeanwhile;

async function loadList(from = '') {
  const turn = ++asked;
  const moved = movedMeanwhile = new Set();
  const query = new URLSearchParams({ limit: '50', sort: $('sort').value });
  if ($('q').value) query.set('q', $('q').value);
  if ($('tier').value) query.set('tier', $('tier').value);
  if (from) query.set('cursor', from);
  try {
    const page = await ask('/dbs?' + query);
    if (turn !== asked) return;
    keepingFocus(() => $('databases').tBodies[0].replaceChildren(...page.items.map(row)));
    movedMeanwhile = undefined;
    moved.forEach(id => update(id));
    $('databases').hidden = page.items.length === 0;
    $('empty').hidden = page.items.length > 0;
    $('more').hidden = !page.next;
    $('first').hidden = !from;
    cursor = page.next || '';
    complain(null);
  } catch (error) {
    if (!(error instanceof Refused)) complain(error);
  }
}

/** A database that is not shown moved, and may belong into the first page; nothing is taken from under a hand. */
let reloading;
function reloadSoon() {
  reloading ??= setTimeout(() => {
    reloading = undefined;
    if ($('first').hidden && !$('databases').contains(document.activeElement)) loadList();
  }, 1000);
}

let typing;
$('q').addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(loadList, 200); });
$('tier').addEventListener('change', () => loadList());
$('sort').addEventListener('change', () => loadList());
$('more').addEventListener('click', () => loadList(cursor));
$('first').addEventListener('click', () => loadList());
$('filter').addEventListener('submit', event => event.preventDefault());

// ---- events

function eventItem(kind, event) {
  const item = element('li');
  const time = element('time', new Date(event.at).toLocaleTimeString());
  time.dateTime = event.at;
  item.append(time);
  if (kind === 'transition') {
    item.append(element('span', NAMES[event.to] || event.to, 'tier ' + (GROUPS[event.to] || event.to)), ' ' + event.path);
  } else {
    // Most messages begin with the path by themselves.
    const why = event.path && event.why.startsWith(event.path + ': ') ? event.why.slice(event.path.length + 2) : event.why;
    item.append(event.path ? event.path + ' ' : '', element('span', why, 'why'));
  }
  return item;
}

const LISTS = { transition: 'moves', error: 'errors' };

function showEvent(kind, event) {
  if (!LISTS[kind]) return;
  const list = $(LISTS[kind]);
  const item = eventItem(kind, event);
  item.classList.add('fresh');
  list.prepend(item);
  while (list.children.length > KEPT_EVENTS) list.lastChild.remove();
  list.hidden = false;
  $('no-' + list.id).hidden = true;
  if (event.id) update(event.id);
}

/** What happened before the page was opened, or while its connection was lost. */
async function showRecent() {
  const { items } = await ask('/events/recent');
  for (const [kind, id] of Object.entries(LISTS)) {
    const shown = items.filter(event => event.kind === kind);
    $(id).replaceChildren(...shown.map(event => eventItem(kind, event)));
    $(id).hidden = shown.length === 0;
    $('no-' + id).hidden = shown.length > 0;
  }
}

/** Server-sent events by fetch: EventSource cannot send a token. */
async function listen(turn) {
  try {
    const answer = await fetch('/events', { headers: headers() });
    if (!answer.ok) return answer.status;
    await showRecent();
    await loadList();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done || turn !== started) return 0;
      text += value;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const kind = /^event: (.*)$/m.exec(block);
        const data = /^data: (.*)$/m.exec(block);
        if (kind && data) showEvent(kind[1], JSON.parse(data[1]));
      }
    }
  } catch {
    return 0;
  }
}

/** The description is one of the page's own files: no token is needed. */
async function knownOrders() {
  try {
    const description = await ask('/openapi.json');
    return Object.keys(description.paths).map(path => /^\/dbs\/\{id}\/(.*)$/.exec(path)?.[1]).filter(Boolean);
  } catch {
    return orders;
  }
}

let started = 0;

async function start() {
  const turn = ++started;
  orders = await knownOrders();
  await refresh();
  await loadList();
  while (turn === started) {
    if (await listen(turn) === 401) return;
    await new Promise(done => setTimeout(done, 2000));
  }
}

setInterval(() => { if (!document.hidden && !$('token-dialog').open) refresh(); }, 2000);
start();
