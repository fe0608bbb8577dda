// persist_test.mjs CORE.wasm FILE...: what outlives a page, in Chromium: stores, servers that stand
// on them, and clients' sessions, in one tab and in two.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { answering, packageFiles, startBrowser, startSite } from './site.mjs';
import { mcp, newCore } from './support.mjs';

const [wasm, ...files] = process.argv.slice(2).map((file) => path.resolve(file));
const served = packageFiles(wasm, files);
served.set('/favicon.ico', '');

// A server elsewhere, and what it was asked.
const core = await newCore();
const asked = [];
let server;
function startServer() {
  server = new mcp.SessionServer(core, { name: 'elsewhere', version: '1' });
  server.tool({ name: 'count', state: { session: true } }, (_, { state }) => {
    state.count = (state.count ?? 0) + 1;
    return state;
  });
}
startServer();
served.set('/mcp', answering(async (request) => {
  const { method } = await request.clone().json().catch(() => ({ method: request.method }));
  asked.push(method);
  return server.fetch(request);
}));

const site = await startSite(served);
const browser = await startBrowser();
after(async () => {
  await browser.stop();
  site.stop();
});
/** A module that does each step by its name: pages have no eval. */
served.set('/steps.js', `
import * as mcp from './mcp-session/index.js';
const core = await mcp.load();
const key = { owner: 'me', kind: 'note', id: '1' };
const HOUR = 3_600_000;
let store, server, client;
const about = { name: 'page', version: '1' };
const outcome = (promise) => promise.then((value) => value, (error) => error.code ?? String(error));
export const steps = {
  async openStore(options) {
    return outcome(mcp.createSessionStore(core, { prefix: 'notes', persist: true, ...options }).then((made) => {
      store = made;
      return 'open';
    }));
  },
  async write(text) {
    const { version } = (await store.get(key))
      ? await store.put(key, text)
      : await store.create(key, text, { ttl: HOUR });
    return version;
  },
  save: () => store.save(),
  closeStore: () => store.close(),
  async read() {
    const record = await store.get(key);
    return record && { text: record.text(), version: record.version, expiresIn: record.expiresIn };
  },
  putAt: (version) => outcome(store.put(key, 'late', { version }).then(() => 'put')),
  async stored() {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open('mcp-session');
      opening.onsuccess = () => resolve(opening.result);
    });
    const items = database.transaction('items').objectStore('items');
    const all = await new Promise((resolve) => {
      const request = items.getAll();
      request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return all.filter((item) => item.bytes).map((item) => new TextDecoder('latin1').decode(item.bytes));
  },
  async spoil() {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open('mcp-session');
      opening.onsuccess = () => resolve(opening.result);
    });
    const transaction = database.transaction('items', 'readwrite');
    transaction.objectStore('items').put({ bytes: new Uint8Array([1, 2, 3]), at: 0 }, 'store spoiled');
    await new Promise((resolve) => { transaction.oncomplete = resolve; });
    database.close();
  },
  async serve() {
    server = new mcp.SessionServer(core, { ...about, store }).tool(
      { name: 'count', state: { session: true } },
      (_, { state }) => ({ count: (state.count = (state.count ?? 0) + 1) }),
    );
  },
  async openClient(options) {
    client = await mcp.openClient(core, {
      ...about,
      persist: 'one',
      era: 'handshake',
      ...(server ? { fetch: (request) => server.fetch(request) } : { url: '/mcp' }),
      ...options,
    });
    return client.sessionId;
  },
  count: async () => (await client.callTool('count')).structuredContent.count,
  sessionId: async () => client.sessionId,
  closeClient: (how) => client.close(how),
};
globalThis.step = (name, argument) => steps[name](argument);
globalThis.ready = true;
`);
served.set('/page.html', '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="steps.js"></script>');

const open = async () => loaded(await browser.open(`${site.origin}/page.html`));
async function loaded(page) {
  await page.waitForFunction(() => globalThis.ready);
  return page;
}
const reload = async (page) => {
  await page.reload();
  return loaded(page);
};
const step = (page, name, argument) =>
  page.evaluate(([name, argument]) => globalThis.step(name, argument), [name, argument]);

test('a store goes on after a reload, with its time and its versions', async () => {
  const page = await open();
  assert.equal(await step(page, 'openStore'), 'open');
  const version = await step(page, 'write', 'first');
  await step(page, 'save');
  await reload(page);
  assert.equal(await step(page, 'openStore'), 'open');
  const read = await step(page, 'read');
  assert.equal(read.text, 'first');
  assert.ok(read.version > version);
  assert.ok(read.expiresIn <= 3_600_000 && read.expiresIn > 3_000_000);
  assert.equal(await step(page, 'putAt', version), 'CONFLICT');
  // Nobody saves this but the store itself.
  await step(page, 'write', 'second');
  for (;;) {
    const [text] = await step(page, 'stored');
    if (text.includes('second')) break;
  }
  await page.close();
});

test('a persistent store is one page\'s alone', async () => {
  const one = await open();
  const two = await open();
  assert.equal(await step(one, 'openStore'), 'open');
  assert.equal(await step(two, 'openStore'), 'LOCKED');
  await step(one, 'closeStore');
  assert.equal(await step(two, 'openStore'), 'open');
  assert.equal((await step(two, 'read')).text, 'second');
  await Promise.all([one.close(), two.close()]);
});

test('what is kept can be encrypted', async () => {
  const page = await open();
  await step(page, 'openStore', { prefix: 'secrets', encrypt: true });
  await step(page, 'write', 'nobody reads this');
  await step(page, 'save');
  const stored = await step(page, 'stored');
  assert.equal(stored.length, 2);
  assert.ok(stored.every((text) => !text.includes('nobody') && !/note.*nobody/.test(text)));
  await reload(page);
  await step(page, 'openStore', { prefix: 'secrets', encrypt: true });
  assert.equal((await step(page, 'read')).text, 'nobody reads this');
  await page.close();
});

test('what is no snapshot is refused, and does not lock the next one out', async () => {
  const page = await open();
  await step(page, 'spoil');
  assert.equal(await step(page, 'openStore', { prefix: 'spoiled' }), 'CORRUPT');
  assert.equal(await step(page, 'openStore', { prefix: 'spoiled' }), 'CORRUPT');
  await page.close();
});

test('a reload goes on in the session, and the server is not asked for one', async () => {
  const page = await open();
  const id = await step(page, 'openClient');
  assert.equal(await step(page, 'count'), 1);
  asked.length = 0;
  await reload(page);
  assert.equal(await step(page, 'openClient'), id);
  assert.equal(await step(page, 'count'), 2);
  assert.deepEqual(asked, ['tools/call']);
  await page.close();
});

test('two tabs have one session', async () => {
  asked.length = 0;
  const pages = await Promise.all([open(), open()]);
  const ids = await Promise.all(pages.map((page) => step(page, 'openClient', { persist: 'tabs' })));
  assert.equal(ids[0], ids[1]);
  assert.equal(asked.filter((method) => method === 'initialize').length, 1);
  const counts = [];
  for (const page of [...pages, ...pages]) counts.push(await step(page, 'count'));
  assert.deepEqual(counts, [1, 2, 3, 4]);
  // Whoever closes it ends it for both, and the other one goes on in a new one.
  await step(pages[0], 'closeClient');
  assert.equal(await step(pages[1], 'count'), 1);
  const renewed = await step(pages[1], 'sessionId');
  assert.notEqual(renewed, ids[0]);
  await reload(pages[1]);
  assert.equal(await step(pages[1], 'openClient', { persist: 'tabs' }), renewed);
  await Promise.all(pages.map((page) => page.close()));
});

test('a server that forgot the session is asked for another, once', async () => {
  const page = await open();
  const id = await step(page, 'openClient', { persist: 'restart' });
  await step(page, 'count');
  server.close();
  startServer();
  asked.length = 0;
  assert.equal(await step(page, 'count'), 1);
  assert.notEqual(await step(page, 'sessionId'), id);
  assert.deepEqual(asked, ['tools/call', 'initialize', 'notifications/initialized', 'tools/call']);
  await page.close();
});

test('a server in the page keeps its sessions over a reload', async () => {
  const page = await open();
  const begin = async () => {
    await step(page, 'openStore', { prefix: 'server' });
    await step(page, 'serve');
    return step(page, 'openClient', { persist: 'in-page' });
  };
  const id = await begin();
  assert.equal(await step(page, 'count'), 1);
  await step(page, 'save');
  await reload(page);
  assert.equal(await begin(), id);
  assert.equal(await step(page, 'count'), 2);
  await page.close();
});

// The examples of docs/javascript.md, as pages.
for (const name of ['reload', 'server_that_stays']) {
  const text = readFileSync(path.resolve(`tests/docs/${name}.js`), 'utf8');
  served.set(`/${name}.js`, text.replace("'mcp-session'", "'./mcp-session/index.js'"));
  served.set(`/${name}.html`, `<!doctype html><meta charset="utf-8"><title></title>
    <script type="module" src="${name}.js"></script><script type="module" src="after.js"></script>`);
}
served.set('/after.js', 'globalThis.ran = true;');

test('the example of a reload counts on', async () => {
  const page = await browser.open(`${site.origin}/reload.html`);
  await page.waitForFunction(() => document.title === '1 calls in this session');
  await page.reload();
  await page.waitForFunction(() => document.title === '2 calls in this session');
  await page.close();
});

test('the example of a server that stays runs', async () => {
  const page = await browser.open(`${site.origin}/server_that_stays.html`);
  await page.waitForFunction(() => globalThis.ran);
  await page.close();
});

test('nobody complained', () => {
  const expected = /404 \(Not Found\)/; // a session that is gone
  assert.deepEqual(browser.complaints.filter((text) => !expected.test(text)), []);
});
