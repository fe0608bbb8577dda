// store_test.mjs CORE.wasm: SessionStore and what stands on it, without a browser's persistence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handshake, mcp, newCore } from './support.mjs';

const { SessionError, SessionServer, createEventStore, createSessionStore } = mcp;
const core = await newCore();
const key = { owner: 'alice', kind: 'basket', id: '1' };
const HOUR = 3_600_000;

/** A store whose time is told. */
async function timed(options) {
  const time = { now: 1_000 };
  const store = await createSessionStore(core, { clock: () => time.now, ...options });
  return { store, time };
}
const fails = (code) => (error) => error instanceof SessionError && error.code === code;

test('creates, gets, puts, touches, removes', async () => {
  const { store } = await timed();
  const made = await store.create(key, { apples: 1 }, { ttl: HOUR, maxLife: 2 * HOUR });
  assert.deepEqual([made.id, made.json(), made.expiresIn, made.maxLifeLeft],
    ['1', { apples: 1 }, HOUR, 2 * HOUR]);
  await assert.rejects(store.create(key, 'again', { ttl: HOUR }), fails('EXISTS'));
  assert.equal((await store.get(key)).text(), '{"apples":1}');
  assert.equal(await store.get({ ...key, owner: 'bob' }), undefined);
  const bytes = new Uint8Array([0, 255, 10]);
  const put = await store.put(key, bytes, { version: made.version });
  assert.ok(put.version > made.version);
  assert.deepEqual((await store.get(key)).data, bytes);
  await assert.rejects(store.put(key, 'late', { version: made.version }), (error) => {
    assert.ok(fails('CONFLICT')(error));
    assert.deepEqual([error.current.id, error.current.version], ['1', put.version]);
    return true;
  });
  assert.equal((await store.put(key, 'wins')).text(), 'wins');
  await store.touch(key);
  await assert.rejects(store.remove(key, { version: 1 }), fails('CONFLICT'));
  assert.equal(await store.remove(key), true);
  assert.equal(await store.remove(key), false);
  await assert.rejects(store.put(key, 'x'), fails('NOT_FOUND'));
  await assert.rejects(store.touch(key), fails('NOT_FOUND'));
});

test('records end by time', async () => {
  const { store, time } = await timed({ defaultTtl: 100 });
  await store.create(key, 'idle', { remember: 1_000 });
  await store.create({ kind: 'basket', id: '2' }, 'life', { ttl: undefined, maxLife: 150 });
  time.now += 99;
  assert.ok(await store.get(key));
  time.now += 99;
  assert.ok(await store.get(key));
  time.now += 100;
  assert.equal(await store.get(key), undefined);
  await assert.rejects(store.put(key, 'x'), fails('EXPIRED'));
  assert.equal(await store.get({ kind: 'basket', id: '2' }), undefined);
  const never = createSessionStore(core);
  await assert.rejects((await never).create(key, 'x'), TypeError); // no life was said
});

test('updates run again on what somebody else was quicker to write', async () => {
  const { store } = await timed({ defaultTtl: HOUR });
  await store.create(key, { sum: 0 });
  const add = async (n) => store.update(key, async (record) => {
    const { sum } = record.json();
    await null;
    return { sum: sum + n };
  });
  await Promise.all([1, 2, 3].map(add));
  assert.deepEqual((await store.get(key)).json(), { sum: 6 });
  const before = (await store.get(key)).version;
  await store.update(key, () => undefined);
  assert.equal((await store.get(key)).version, before);
  let runs = 0;
  await assert.rejects(store.update(key, async () => {
    ++runs;
    await store.put(key, { sum: 0 });
    return { sum: 1 };
  }), fails('CONFLICT'));
  assert.equal(runs, 5);
});

test('lists and removes what an owner has', async () => {
  const { store } = await timed({ defaultTtl: HOUR, maxRecordsPerOwner: 500 });
  for (let i = 0; i < 250; ++i) await store.create({ ...key, id: `n${i}` }, i);
  await store.create({ ...key, kind: 'other' }, 'x');
  const ids = [];
  for await (const record of store.list({ owner: 'alice', kind: 'basket' })) ids.push(record.id);
  assert.deepEqual(ids, Array.from({ length: 250 }, (_, i) => `n${i}`));
  assert.equal(await store.removeOwned('alice'), 251);
  assert.equal((await store.list({ owner: 'alice', kind: 'basket' }).next()).done, true);
  await assert.rejects(store.list({ owner: '', kind: 'basket' }).next(), TypeError);
});

test('keeps to its limits, and drops nothing to make room', async () => {
  const { store } = await timed({ defaultTtl: HOUR, maxRecords: 2, maxRecordBytes: 10 });
  await assert.rejects(store.create(key, 'x'.repeat(11)), fails('TOO_LARGE'));
  await store.create({ ...key, id: 'a' }, 'a');
  await store.create({ ...key, id: 'b' }, 'b');
  await assert.rejects(store.create({ ...key, id: 'c' }, 'c'), fails('CAPACITY'));
  assert.equal((await store.get({ ...key, id: 'a' })).text(), 'a');
});

test('refuses what is none', async () => {
  const { store } = await timed({ defaultTtl: HOUR });
  for (const bad of [{}, { kind: 'k' }, { kind: '', id: 'i' }, { kind: 'k', id: '' },
    { kind: 1, id: 'i' }, { ...key, owner: 'x'.repeat(257) }]) {
    await assert.rejects(store.create(bad, 'x'), TypeError, JSON.stringify(bad));
  }
  for (const life of [{ ttl: 0 }, { ttl: -1 }, { ttl: NaN }, { ttl: 1e15 }, { maxLife: 0 }]) {
    await assert.rejects(store.create(key, 'x', life), TypeError, JSON.stringify(life));
  }
  await assert.rejects(createSessionStore(core, { maxRecords: 0 }), TypeError);
  await assert.rejects(createSessionStore(core, { colour: 1 }), TypeError);
  await store.close();
  await assert.rejects(store.get(key), fails('CANCELLED'));
});

test('a server keeps its sessions and handles in a store that it is given', async () => {
  const { store } = await timed();
  const clock = () => 1_000;
  const about = { name: 'test', version: '1', store, clock };
  const count = (_, { state }) => {
    state.count = (state.count ?? 0) + 1;
    return state;
  };
  const makeServer = () => new SessionServer(core, about).tool({ name: 'count', state: { session: true } }, count);
  let server = makeServer();
  const { request, headers } = await handshake(server, { principal: 'alice' });
  const call = async () => {
    const response = await server.fetch(request('tools/call', { name: 'count' }), { principal: 'alice' });
    return (await response.json()).result.structuredContent;
  };
  assert.deepEqual(await call(), { count: 1 });
  server.close();
  server = makeServer();
  assert.deepEqual(await call(), { count: 2 });
  const sessions = await Array.fromAsync(store.list({ owner: 'principal:alice', kind: 'session' }));
  assert.deepEqual(sessions.map(({ id }) => id), [headers['mcp-session-id']]);
  // The store ends for its holder, and not for the server.
  await store.close();
  assert.deepEqual(await call(), { count: 3 });
  assert.throws(makeServer, TypeError);
  const other = await createSessionStore(await newCore());
  assert.throws(() => new SessionServer(core, { ...about, store: other }), TypeError);
});

test('an event store replays what came after an event, of one session and stream', async () => {
  const { store, time } = await timed({ maxRecordsPerOwner: 5 });
  const events = createEventStore(store, { session: 'one', ttl: 1_000 });
  const others = createEventStore(store, { session: 'two' });
  const replay = async (from, id) => {
    const seen = [];
    const stream = await from.replayEventsAfter(id, { send: async (at, message) => seen.push([at, message.n]) });
    return { stream, seen };
  };
  const ids = [];
  for (let n = 0; n < 3; ++n) ids.push(await events.storeEvent('a_b', { n }));
  const elsewhere = await events.storeEvent('c', { n: 9 });
  await others.storeEvent('a_b', { n: 8 });
  assert.deepEqual(await replay(events, ids[0]),
    { stream: 'a_b', seen: [[ids[1], 1], [ids[2], 2]] });
  assert.deepEqual(await replay(events, ids[2]), { stream: 'a_b', seen: [] });
  assert.equal(await events.getStreamIdForEventId(elsewhere), 'c');
  await assert.rejects(replay(others, ids[0]), fails('GAP'));
  await assert.rejects(replay(events, 'nonsense'), fails('GAP'));
  for (let n = 3; n < 5; ++n) ids.push(await events.storeEvent('a_b', { n }));
  await assert.rejects(replay(events, ids[0]), fails('GAP')); // the oldest made room
  assert.deepEqual((await replay(events, ids[1])).seen.map(([, n]) => n), [2, 3, 4]);
  time.now += 1_000;
  await assert.rejects(replay(events, ids[4]), fails('GAP'));
  assert.throws(() => createEventStore(store, {}), TypeError);
});
