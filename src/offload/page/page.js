/** A provider that is a page: it lends this browser to a broker while it is on, and shows what runs. */
import { Connection } from '../connection.ts';
import { Transport } from './transport.js';

/** Tasks that the table shows. */
const shown = 20;

const at = (id) => document.getElementById(id);
const [form, token, workers, toggle, state] = ['form', 'token', 'workers', 'toggle', 'state'].map(at);

// The token travels in the fragment, which no server sees: '#token=...&workers=2&name=...&on'
const given = new URLSearchParams(location.hash.slice(1));
token.value = given.get('token') ?? '';
workers.value = given.get('workers') ?? String(Math.min(64, navigator.hardwareConcurrency || 1));

let connection = null;
let transport = '';
const counts = { running: 0, done: 0, failed: 0, returned: 0 };

function say(text) {
  state.textContent = text;
  document.body.dataset.state = text;
}

let drawing = false;
const rows = [];

/** Once a frame at most, and not at all while nobody looks: tasks may be shorter than a frame. */
function draw() {
  if (drawing || document.hidden) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    for (const [name, count] of Object.entries(counts)) at(name).textContent = count;
    at('progress').value = counts.running;
    at('progress').max = Number(workers.value);
    at('tasks').replaceChildren(
      ...rows.map((cells) => {
        const row = document.createElement('tr');
        for (const text of cells) row.insertCell().textContent = text;
        return row;
      }),
    );
  });
}
document.addEventListener('visibilitychange', draw);

function outcomeOf(outcome) {
  if (outcome === null) return 'went back to the broker';
  return outcome.state === 'done' ? `exit code ${outcome.exitCode}` : outcome.reason;
}

const transportNames = { websocket: 'WebSocket', webtransport: 'WebTransport' };

const told = {
  welcome: (name) => say(`On: connected as ${name}, by ${transportNames[transport]}`),
  away(againMs, reason) {
    if (againMs !== null) return say(`Not connected: ${reason}. Trying again.`);
    off(`Off: the broker refuses. ${reason[0].toUpperCase()}${reason.slice(1)}.`);
  },
  started() {
    counts.running += 1;
    draw();
  },
  ended(task, outcome, ms) {
    counts.running -= 1;
    counts[outcome === null ? 'returned' : outcome.state] += 1;
    rows.unshift([
      new Date().toLocaleTimeString(),
      task.module.slice(0, 12),
      task.args.join(' ').slice(0, 60),
      outcomeOf(outcome),
      `${ms.toFixed(1)} ms`,
    ]);
    rows.length = Math.min(rows.length, shown);
    draw();
  },
};

const means = {
  startWorker(message, gone) {
    const worker = new Worker('worker.js');
    worker.onmessage = ({ data }) => message(data);
    worker.onerror = (event) => gone(`the worker failed: ${event.message ?? 'it could not be loaded'}`);
    return { post: (job) => worker.postMessage(job), end: () => worker.terminate() };
  },
  async content(digest) {
    const response = await fetch(`content/${digest}`, {
      headers: { authorization: `Bearer ${token.value}` },
    });
    if (!response.ok) throw new Error(`the broker says ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
};

function on() {
  const count = Number(workers.value);
  const name = given.get('name') ?? `page-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  const about = { token: token.value.trim(), name, workers: count, ahead: count };
  const open = () =>
    new Transport((name) => {
      transport = name;
    });
  connection = new Connection(open, means, about, told);
  toggle.textContent = 'Switch off';
  token.disabled = true;
  workers.disabled = true;
  say('Connecting');
}

function off(why) {
  connection?.stop();
  connection = null;
  counts.running = 0;
  toggle.textContent = 'Switch on';
  token.disabled = false;
  workers.disabled = false;
  say(why);
  draw();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (connection) off('Off');
  else on();
});

if (given.has('on') && token.value !== '') on();
