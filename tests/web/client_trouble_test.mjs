// client_trouble_test.mjs CORE.wasm: clients that are given up, cut off, or told what they should not keep.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { HANDSHAKE, STATELESS, deferred, mcp, newCore } from './support.mjs';

const { McpClient } = mcp;
const inside = (file) => import(pathToFileURL(path.resolve(`web/src/${file}`)));
const { ResultCache } = await inside('result_cache.js');
const { expectsHandshake, rememberEra } = await inside('era_memory.js');
const core = await newCore();
const about = { name: 'test-client', version: '1.0' };
const cut = () => {
  throw new TypeError('cut off', { cause: 'test' });
};
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** A stateless server: each method's result, or what makes a Response. */
function stateless(methods) {
  const seen = [];
  const fetch = async (request) => {
    if (request.method !== 'POST') {
      seen.push(request.method);
      return new Response(null, { status: 405 });
    }
    const { id, method, params } = await request.clone().json();
    seen.push(method);
    const answer = methods[method];
    if (typeof answer === 'function') {
      const made = await answer(request, id, params);
      if (made instanceof Response) return made;
      return Response.json({ jsonrpc: '2.0', id, result: made });
    }
    const known = { 'server/discover': { supportedVersions: [STATELESS], capabilities: {} }, ...methods };
    return Response.json({ jsonrpc: '2.0', id, result: known[method] ?? {} });
  };
  return { fetch, seen };
}

/** A server of sessions, by the name it gives them; undefined refuses. */
function sessions(state) {
  const seen = [];
  const fetch = async (request) => {
    const message = request.method === 'POST' ? await request.clone().json() : {};
    seen.push(message.method ?? request.method);
    const id = request.headers.get('mcp-session-id');
    if (!state.session || (id && id !== state.session)) return new Response(null, { status: 404 });
    if (message.method === 'server/discover') return new Response(null, { status: 400 });
    if (message.id === undefined) return new Response(null, { status: 202 });
    const result = message.method === 'initialize'
      ? { protocolVersion: HANDSHAKE, capabilities: {}, serverInfo: about }
      : await state.answer?.(message);
    return Response.json({ jsonrpc: '2.0', id: message.id, result }, { headers: { 'mcp-session-id': state.session } });
  };
  return { fetch, seen };
}

test('opening is told once, however often it is asked for', async () => {
  const { fetch } = stateless({});
  const client = new McpClient(core, { ...about, fetch });
  let opened = 0;
  client.addEventListener('open', () => ++opened);
  await client.connect();
  await client.connect();
  assert.equal(opened, 1);
  await client.close();
});

test('what tools say of themselves decides whether a call is repeated', async () => {
  let broken = 0;
  const tools = [
    { name: 'look', inputSchema: {}, annotations: { readOnlyHint: true } },
    { name: 'set', inputSchema: {}, annotations: { idempotentHint: true } },
    { name: 'add', inputSchema: {} },
  ];
  const { fetch } = stateless({
    'tools/list': () => ({ tools }),
    'tools/call': (_, id, { name }) => (++broken % 2 ? cut() : { content: [{ type: 'text', text: name }] }),
  });
  const client = new McpClient(core, { ...about, fetch });
  await assert.rejects(client.callTool('look'), { code: 'TRANSPORT' }, 'it is not known yet');
  broken = 0;
  await client.listTools();
  for (const name of ['look', 'set']) {
    assert.equal((await client.callTool(name)).content[0].text, name);
    await assert.rejects(client.callTool(name, {}, { repeatable: false }), { code: 'TRANSPORT' });
    broken = 0;
  }
  await assert.rejects(client.callTool('add'), { code: 'TRANSPORT' });
  broken = 0;
  assert.equal((await client.callTool('add', {}, { repeatable: true })).content[0].text, 'add');
  // The next list is all that counts.
  tools.shift();
  broken = 0;
  await client.listTools();
  await assert.rejects(client.callTool('look'), { code: 'TRANSPORT' });
  await client.close();
});

test('an opening that nobody waits for any more is given up', async () => {
  const asked = deferred();
  const client = new McpClient(core, {
    ...about,
    fetch: (request) => {
      asked.resolve(request.signal);
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const opening = client.connect({ signal: controller.signal });
  const signal = await asked.promise;
  controller.abort('enough');
  await assert.rejects(opening, { code: 'CANCELLED', cause: 'enough' });
  assert.equal(signal.aborted, true);
  await client.close();
});

test('who gave a request up is told so, with the reason', async () => {
  const { fetch } = stateless({ x: () => new Promise(() => {}) });
  const client = new McpClient(core, { ...about, fetch });
  await client.connect();
  const controller = new AbortController();
  const request = client.request('x', undefined, { signal: controller.signal });
  controller.abort('enough');
  await assert.rejects(request, { code: 'CANCELLED', cause: 'enough' });
  const open = client.request('x');
  const closed = client.close();
  await assert.rejects(open, { code: 'CANCELLED' });
  await closed;
  const kept = new McpClient(core, { ...about, fetch });
  await kept.connect();
  const last = kept.request('x');
  await kept.close({ keepSession: true });
  await assert.rejects(last, { code: 'CANCELLED' });
});

test('a probe whose answer breaks off says nothing of the era', async () => {
  const { fetch, seen } = stateless({
    'server/discover': () => new Response(new ReadableStream({
      pull: (controller) => controller.error(new TypeError('network error')),
    }), { headers: { 'content-type': 'application/json' } }),
  });
  const client = new McpClient(core, { ...about, fetch });
  await assert.rejects(client.connect(), { code: 'TRANSPORT' });
  assert.deepEqual(seen, ['server/discover']);
  await client.close();
});

test('a mistake of the application is told, unless nobody waits for its answer any more', async () => {
  const asked = deferred();
  const { fetch } = stateless({
    'tools/call': () => ({ resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } }),
  });
  const client = new McpClient(core, {
    ...about,
    fetch,
    answers: {
      'roots/list': (_, { signal }) => new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('gone')));
        asked.resolve();
      }),
    },
  });
  const controller = new AbortController();
  const call = client.callTool('x', {}, { signal: controller.signal });
  await asked.promise;
  const { error } = console;
  const told = [];
  console.error = (...what) => told.push(what);
  controller.abort();
  await assert.rejects(call, { code: 'CANCELLED' });
  await turn();
  assert.deepEqual(told, []);
  const mistake = new Error('mistake');
  const wrong = new McpClient(core, {
    ...about,
    fetch,
    answers: {
      'roots/list': () => {
        throw mistake;
      },
    },
  });
  await assert.rejects(wrong.callTool('x'), { code: 'CANCELLED' });
  console.error = error;
  assert.deepEqual(told, [[mistake]]);
  await wrong.close();
  await client.close();
});

test('a client that is closed while it looks for an old server looks no further', async () => {
  const asked = deferred();
  const answered = deferred();
  let got;
  const posted = [];
  const fetch = async (request) => {
    if (request.method !== 'GET') {
      posted.push(new URL(request.url).pathname);
      return new Response(null, { status: 404 });
    }
    got = request;
    asked.resolve();
    await answered.promise;
    const body = 'event: endpoint\ndata: /messages\n\n';
    return new Response(new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(body)),
    }), { headers: { 'content-type': 'text/event-stream' } });
  };
  const client = new McpClient(core, { ...about, fetch });
  const call = client.callTool('x');
  await asked.promise;
  await client.close();
  answered.resolve();
  await assert.rejects(call, { name: 'SessionError' });
  await turn();
  assert.equal(got.signal.aborted, true);
  assert.equal(client.connected, false);
  assert.deepEqual(posted, ['/mcp', '/mcp']);
});

test('a call that is given up while an old server is looked for is not made', async () => {
  const asked = deferred();
  const answered = deferred();
  const posted = [];
  let underWay = 0;
  let stream;
  const say = (text) => stream.enqueue(new TextEncoder().encode(text));
  const fetch = async (request) => {
    if (request.url.endsWith('/messages')) {
      const { id, method } = await request.json();
      posted.push(method);
      assert.equal(++underWay, 1, 'one after the other');
      await turn();
      --underWay;
      const result = method === 'initialize'
        ? { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: about }
        : { content: [] };
      if (id !== undefined) say(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\r\r`);
      return new Response(null, { status: 202 });
    }
    if (request.method !== 'GET') return new Response(null, { status: 405 });
    asked.resolve();
    await answered.promise;
    const body = new ReadableStream({
      start: (controller) => {
        stream = controller;
        say('event: endpoint\rdata: /messages\r\r');
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  const client = new McpClient(core, { ...about, fetch });
  const controller = new AbortController();
  const [gone, kept] = [
    client.callTool('gone', {}, { signal: controller.signal }),
    client.callTool('kept'),
  ];
  await asked.promise;
  controller.abort('enough');
  answered.resolve();
  await assert.rejects(gone, { code: 'CANCELLED', cause: 'enough' });
  assert.deepEqual(await kept, { content: [] });
  assert.deepEqual(posted, ['initialize', 'notifications/initialized', 'tools/call']);
  await client.close();
});

test('a server that was there is not looked for at the endpoint of an old one', async () => {
  const hangs = deferred();
  const state = { session: 'one', answer: ({ params }) => (params.name === 'hangs' ? hangs.promise : { content: [] }) };
  const { fetch, seen } = sessions(state);
  const client = new McpClient(core, { ...about, fetch });
  await client.connect();
  const call = client.callTool('hangs');
  await turn();
  state.session = undefined;
  seen.length = 0;
  await assert.rejects(client.callTool('other'), { code: 'UNSUPPORTED_VERSION' });
  assert.equal(seen.includes('GET'), false);
  hangs.resolve({ content: [{ type: 'text', text: 'late' }] });
  state.session = 'one';
  assert.equal((await call).content[0].text, 'late');
  assert.equal(seen.filter((method) => method === 'tools/call').length, 1);
  await client.close();
});

test('a client of the stateless era alone looks for no old server', async () => {
  const { fetch, seen } = stateless({
    'server/discover': (_, id) => {
      const error = { code: -32022, message: 'other', data: { supported: ['2030-01-01'], requested: STATELESS } };
      return Response.json({ jsonrpc: '2.0', id, error }, { status: 400 });
    },
  });
  const client = new McpClient(core, { ...about, era: 'stateless', fetch });
  await assert.rejects(client.connect(), { code: 'UNSUPPORTED_VERSION' });
  await turn();
  assert.deepEqual(seen, ['server/discover']);
  await client.close();
});

test('a page that goes away can still end its session', async () => {
  const kept = [];
  const { fetch } = sessions({ session: 'one' });
  const client = new McpClient(core, {
    ...about,
    era: 'handshake',
    fetch: (request) => {
      kept.push([request.method, request.keepalive]);
      return fetch(request);
    },
  });
  await client.connect();
  await client.close();
  assert.deepEqual(kept, [['POST', false], ['POST', false], ['DELETE', true]]);
});

test('an answer in pieces is one line of the log', async () => {
  const { fetch } = stateless({
    x: (_, id) => {
      const text = JSON.stringify({ jsonrpc: '2.0', id, result: { text: 'a\n\nb' } });
      const body = new ReadableStream({
        async pull(controller) {
          for (const piece of [text.slice(0, 20), text.slice(20)]) controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    },
  });
  const client = new McpClient(core, { ...about, fetch });
  await client.connect();
  const log = [];
  client.addEventListener('message', ({ detail: { direction, text } }) => direction === 'in' && log.push(text));
  assert.equal((await client.request('x')).text, 'a\n\nb');
  await turn();
  assert.equal(log.length, 1);
  assert.equal(JSON.parse(log[0]).result.text, 'a\n\nb');
  await client.close();
});

test('a list is kept as long as its page of the shortest life, and not in sessions', async () => {
  let now = 0;
  let page = 0;
  const ttls = [1000, 500, 2000];
  const { fetch, seen } = stateless({
    'tools/list': () => {
      const ttlMs = ttls[page % 3];
      page += 1;
      return { tools: [{ name: `t${page}`, inputSchema: {} }], ttlMs, ...(page % 3 && { nextCursor: 'more' }) };
    },
  });
  const client = new McpClient(core, { ...about, fetch, clock: () => now });
  const names = async () => (await client.listTools()).map(({ name }) => name).join(' ');
  assert.equal(await names(), 't1 t2 t3');
  now = 499;
  assert.equal(await names(), 't1 t2 t3');
  now = 500;
  assert.equal(await names(), 't4 t5 t6');
  assert.equal(seen.filter((method) => method === 'tools/list').length, 6);
  await client.close();

  const { fetch: older, seen: again } = sessions({ session: 'one', answer: () => ({ tools: [], ttlMs: 1000 }) });
  const session = new McpClient(core, { ...about, fetch: older });
  await session.listTools();
  await session.listTools();
  assert.equal(again.filter((method) => method === 'tools/list').length, 2);
  await session.close();
});

test('what comes of questions is not kept', async () => {
  const { fetch, seen } = stateless({
    'resources/read': (_, id, { inputResponses }) => inputResponses
      ? { contents: [], ttlMs: 60_000 }
      : { resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } },
  });
  const client = new McpClient(core, { ...about, fetch, answers: { 'roots/list': () => ({ roots: [] }) } });
  await client.readResource('x:y');
  await client.readResource('x:y');
  assert.equal(seen.filter((method) => method === 'resources/read').length, 4);
  await client.close();
});

test('changes that nobody reads are told in one', async () => {
  let stream;
  const say = (method, params) =>
    stream.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`));
  const { fetch } = stateless({
    'subscriptions/listen': () => new Response(new ReadableStream({
      start: (controller) => {
        stream = controller;
        say('notifications/subscriptions/acknowledged', { notifications: {} });
      },
    }), { headers: { 'content-type': 'text/event-stream' } }),
  });
  const client = new McpClient(core, { ...about, fetch });
  let notified = 0;
  client.addEventListener('notification', () => ++notified);
  const changes = client.changes({ uris: ['x:'] });
  await changes.next();
  for (let i = 0; i < 1002; ++i) say('notifications/resources/updated', { uri: `x:${i % 2 ? i : 0}` });
  for (let i = 0; i < 1000; ++i) say('notifications/resources/updated', { uri: `x:${2000 + i}` });
  while (notified < 2003) await turn();
  const { value } = await changes.next();
  assert.equal(value.method, 'notifications/subscriptions/acknowledged');
  say('notifications/tools/list_changed', {});
  say('notifications/resources/updated', { uri: 'x:last' });
  let last;
  do last = (await changes.next()).value;
  while (last.params.uri !== 'x:last');
  await changes.return();
  await client.close();
});

test('who could not listen once may listen later', async () => {
  let away = true;
  const { fetch } = stateless({
    'subscriptions/listen': () => {
      if (away) cut();
      const text = '{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}';
      return new Response(new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(`data: ${text}\n\n`)),
      }), { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  const client = new McpClient(core, { ...about, fetch });
  await assert.rejects(client.changes({ tools: true }).next(), { code: 'TRANSPORT' });
  away = false;
  const changes = client.changes({ tools: true });
  assert.equal((await changes.next()).value.method, 'notifications/subscriptions/acknowledged');
  await changes.return();
  await client.close();
});

test('a subscription that was cut off is none that was refused', async () => {
  const answer = ({ method }) => (method === 'resources/subscribe' ? cut() : {});
  const client = new McpClient(core, { ...about, listen: true, fetch: sessions({ session: 'one', answer }).fetch });
  await assert.rejects(client.changes({ uris: ['x:'] }).next(), { code: 'TRANSPORT' });
  await client.close();
});

test('the eras of a hundred origins are remembered', () => {
  const url = (number) => new URL(`http://${number}.example/`);
  for (let i = 0; i < 101; ++i) rememberEra(url(i), 'handshake');
  assert.deepEqual([0, 1, 100].map((number) => expectsHandshake(url(number))), [false, true, true]);
  // One that is seen again is not the oldest.
  rememberEra(url(1), 'handshake');
  rememberEra(url(101), 'handshake');
  assert.deepEqual([1, 2].map((number) => expectsHandshake(url(number))), [true, false]);
  rememberEra(url(1), 'stateless');
  assert.equal(expectsHandshake(url(1)), false);
});

test('a cache is bounded in time, in number and in size', () => {
  let now = 0;
  const cache = new ResultCache(() => now);
  const keep = (key, value, ttl = 1000) => cache.keep(key, value, ttl, cache.changes);
  keep('long', 1, Infinity);
  now = 86_399_999;
  assert.equal(cache.find('long'), 1);
  now = 86_400_000;
  assert.equal(cache.find('long'), undefined);
  for (const ttl of [0, -1, NaN, '5', null, undefined]) {
    cache.keep('none', 1, ttl, cache.changes);
    assert.equal(cache.find('none'), undefined, String(ttl));
  }
  for (let i = 0; i < 101; ++i) keep(`n${i}`, i);
  assert.equal(cache.find('n0'), undefined);
  assert.equal(cache.find('n1'), 1);
  assert.equal(cache.find('n100'), 100);
  const half = 'x'.repeat((2 << 20) - 2);
  keep('a', half);
  keep('b', half);
  assert.equal(cache.find('a')?.length, half.length);
  assert.equal(cache.find('n100'), undefined);
  keep('c', 1);
  assert.equal(cache.find('a')?.length, undefined);
  assert.equal(cache.find('b')?.length, half.length);
  keep('d', `${half}${half}xxx`);
  assert.equal(cache.find('d')?.length, undefined, 'larger than all there is');
  // One that is kept again is the newest, and takes the room of one.
  cache.forget();
  keep('a', half);
  keep('a', half);
  keep('b', half);
  assert.equal(cache.find('a')?.length, half.length);
  // What was asked for before a change may be older than that.
  const before = cache.changes;
  cache.hear('notifications/tools/list_changed');
  cache.keep('tools/list', [], 1000, before);
  assert.equal(cache.find('tools/list'), undefined);
  // Only what a notification is about goes.
  for (const key of ['tools/list', 'prompts/list', 'resources/list', 'resources/read x']) keep(key, key);
  const left = () => ['tools/list', 'prompts/list', 'resources/list', 'resources/read x'].filter((key) => cache.find(key));
  cache.hear('notifications/message');
  cache.hear('notifications/tools/other');
  assert.equal(left().length, 4);
  cache.hear('notifications/resources/updated');
  assert.deepEqual(left(), ['tools/list', 'prompts/list']);
  cache.hear('notifications/prompts/list_changed');
  assert.deepEqual(left(), ['tools/list']);
  cache.hear('notifications/subscriptions/acknowledged');
  assert.deepEqual(left(), []);
});
