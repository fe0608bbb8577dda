// The server in the page: the core in a worker of its own, serving the demo tools on every port that
// the page sends. Each message brings a port for its answer: what was asked for, or `why` not.
import { createSessionStore, load, SessionServer } from './mcp-session/index.js';
import { addDemoTools } from './demo_tools.js';
import { recordsOf } from './snapshot.js';
import { shortened } from './words.js';

/** @typedef {import('./snapshot.js').KeptRecord} KeptRecord */

async function start() {
  const core = await load();
  const store = await createSessionStore(core);
  const server = new SessionServer(core, {
    name: 'mcp-session-page',
    title: 'mcp-session in this page',
    version: '0.1.0',
    store,
  });
  addDemoTools(server);
  return { server, store };
}

const started = start();
started.catch(() => {}); // told below, to whoever asks

/** Those told last, by the numbers that the page knows them by. @type {Map<number, KeptRecord>} */
let numbered = new Map();
/** @type {Map<string, number>} */
let numbers = new Map();
let lastNumber = 0;

/** @param {KeptRecord[]} records */
function number(records) {
  const before = numbers;
  numbers = new Map();
  numbered = new Map();
  for (const record of records) {
    const key = JSON.stringify([record.owner, record.kind, record.id]);
    const its = before.get(key) ?? ++lastNumber;
    numbers.set(key, its);
    numbered.set(its, record);
  }
}

/** @param {any} asked @param {MessagePort} [port] */
async function answer(asked, port) {
  const { server, store } = await started;
  if (asked === 'serve' && port) {
    server.connect(port);
  } else if (asked === 'records') {
    number(recordsOf(store.snapshot()));
    const records = [...numbered].map(([number, { kind, id, size, left, unused }]) => {
      // A handle begins with its kind.
      const rest = id.startsWith(`${kind}_`) ? id.slice(kind.length + 1) : id;
      return { number, kind, id: shortened(rest), size, left, unused };
    });
    return { records };
  } else if (typeof asked.end === 'number') {
    const record = numbered.get(asked.end);
    if (record) await store.remove(record);
  }
  return {};
}

self.addEventListener('message', async ({ data, ports: [reply, port] }) => {
  try {
    reply.postMessage(await answer(data, port));
  } catch (error) {
    reply.postMessage({ why: String(error) });
  }
});
