// saving_test.mjs CORE.wasm: what is saved, and when, with a stand-in for IndexedDB and Web Locks whose
// every step is seen. persist_test has the real ones.
import assert from 'node:assert/strict';
import test from 'node:test';
import { deferred, mcp, newCore } from './support.mjs';

const { SessionServer, createSessionStore, openClient } = mcp;
const core = await newCore();
const key = { owner: 'me', kind: 'note', id: '1' };
const about = { name: 'test', version: '1.0' };
const HOUR = 3_600_000;

/** By name. `writing` is awaited before each write ends. */
const kept = new Map();
const disk = { puts: 0, underWay: 0, most: 0, writing: async () => {} };

function request(act) {
  const made = {};
  queueMicrotask(async () => {
    try {
      made.result = await act();
      made.onsuccess?.();
    } catch (error) {
      made.error = error;
      made.onerror?.();
    }
  });
  return made;
}
const items = {
  get: (name) => request(() => kept.get(name)),
  delete: (name) => request(() => void kept.delete(name)),
  put: (value, name) => request(async () => {
    disk.puts += 1;
    disk.most = Math.max(disk.most, ++disk.underWay);
    await disk.writing();
    kept.set(name, value);
    disk.underWay -= 1;
    disk.wrote?.resolve();
  }),
};
globalThis.indexedDB = {
  open: () => request(() => ({
    close() {},
    transaction() {
      const transaction = { objectStore: () => items };
      setTimeout(function complete() {
        if (disk.underWay > 0) setTimeout(complete);
        else transaction.oncomplete?.();
      });
      return transaction;
    },
  })),
};
Object.defineProperty(globalThis, 'navigator', {
  value: { locks: { request: async (_name, _options, held) => held({}) } },
});

const open = (prefix) => createSessionStore(core, { prefix, persist: true, defaultTtl: HOUR, clock: () => 1 });

test('time goes on while a store is away', async () => {
  const store = await open('age');
  await store.create(key, 'text', { ttl: HOUR });
  await store.close();
  const { now } = Date;
  Date.now = () => now() + HOUR / 2;
  const later = await open('age');
  const { expiresIn } = await later.get(key);
  await later.close();
  Date.now = () => now() + 2 * HOUR;
  const last = await open('age');
  Date.now = now;
  assert.ok(expiresIn <= HOUR && expiresIn > 0);
  assert.equal(await last.get(key), undefined);
  await last.close();
});

test('what did not change is not saved again', async () => {
  const store = await open('same');
  await store.create(key, 'text');
  disk.puts = 0;
  await store.save();
  await store.save();
  await store.close();
  assert.equal(disk.puts, 1);
});

test('one save follows the other, and the last is the newest', async () => {
  const store = await open('order');
  const slow = deferred();
  disk.most = 0;
  disk.writing = () => slow.promise;
  await store.create(key, 'first');
  const saves = [store.save()];
  await new Promise((resolve) => setTimeout(resolve));
  await store.put(key, 'second');
  saves.push(store.save());
  await new Promise((resolve) => setTimeout(resolve));
  slow.resolve();
  await Promise.all(saves);
  disk.writing = async () => {};
  assert.equal(disk.most, 1);
  assert.deepEqual(kept.get('store order').bytes, store.snapshot());
  await store.close();
});

test('a store that cannot be saved says so, and saves the next time', async () => {
  const store = await open('full');
  await store.create(key, 'text');
  disk.writing = async () => {
    disk.underWay -= 1;
    throw new Error('no room');
  };
  await assert.rejects(store.save(), { message: 'no room' });
  disk.writing = async () => {};
  await store.save();
  assert.deepEqual(kept.get('store full').bytes, store.snapshot());
  await store.close();
});

test('what a server keeps in a store is saved by itself', async () => {
  const store = await open('server');
  const server = new SessionServer(core, { ...about, store });
  server.tool({ name: 'count', state: { session: true } }, (_, { state }) => {
    state.count = (state.count ?? 0) + 1;
    return state;
  });
  disk.wrote = deferred();
  const client = await openClient(core, {
    ...about,
    era: 'handshake',
    persist: 'count',
    fetch: (each) => server.fetch(each),
  });
  assert.ok(kept.has('client count'));
  disk.wrote = deferred();
  await client.callTool('count');
  await disk.wrote.promise;
  assert.deepEqual(kept.get('store server').bytes, store.snapshot());
  // The session that ended is not gone on with.
  await client.close();
  assert.equal(kept.has('client count'), false);
  const other = await openClient(core, {
    ...about,
    era: 'handshake',
    persist: 'count',
    fetch: (each) => server.fetch(each),
  });
  await other.close({ keepSession: true });
  assert.equal(kept.has('client count'), true);
  await store.close();
});
