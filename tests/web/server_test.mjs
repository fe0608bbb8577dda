import assert from 'node:assert/strict';
import test from 'node:test';
import {
  deferred, events, handshake, happens, mcp, newCore, post, stateless,
} from './support.mjs';

const { SessionServer, ToolError } = mcp;
const core = await newCore();
const open = (options) => new SessionServer(core, { name: 'test', version: '1.0', ...options });

/** Calls a tool in the stateless era; its result. */
async function call(server, name, args = {}, options) {
  const response = await server.fetch(stateless('tools/call', { name, arguments: args }), options);
  return (await response.json()).result;
}

test('answers a stateless request', async () => {
  const server = open({ instructions: 'be kind' });
  server.tool({ name: 'add', description: 'Adds' }, ({ a, b }) => ({ sum: a + b }));
  const response = await server.fetch(stateless('server/discover'));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  const { result } = await response.json();
  assert.deepEqual(result.supportedVersions, ['2026-07-28']);
  assert.equal(result.instructions, 'be kind');
  const added = await call(server, 'add', { a: 2, b: 3 });
  assert.deepEqual(added.structuredContent, { sum: 5 });
  assert.deepEqual(added.content, [{ type: 'text', text: '{"sum":5}' }]);
});

test('keeps a session of the handshake era until it is deleted', async () => {
  const server = open({ sessionTtl: 5000, sessionMaxLife: 60_000 });
  server.tool({ name: 'count', state: { session: true } }, (_, { state }) => {
    state.count = (state.count ?? 0) + 1;
    return state;
  });
  const { headers, request, result } = await handshake(server);
  assert.deepEqual(result._meta, { 'mcp-session/ttlMs': 5000, 'mcp-session/maxLifeMs': 60_000 });
  for (const count of [1, 2, 3]) {
    const response = await server.fetch(request('tools/call', { name: 'count' }));
    assert.deepEqual((await response.json()).result.structuredContent, { count });
  }
  const end = () => new Request('http://localhost/mcp', { method: 'DELETE', headers });
  assert.equal((await server.fetch(end())).status, 204);
  assert.equal((await server.fetch(end())).status, 404);
  assert.equal((await server.fetch(request('ping'))).status, 404);
});

test('streams progress, and then the result', async () => {
  const server = open();
  server.tool({ name: 'steps' }, async (_, call) => {
    for (const step of [1, 2, 3]) {
      call.progress(step, { total: 3, message: `step ${step}` });
      await null;
    }
    return 'done';
  });
  const response = await server.fetch(
    stateless('tools/call', { name: 'steps' }, { meta: { progressToken: 'p' } }),
  );
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const messages = [];
  for await (const message of events(response)) messages.push(message);
  assert.deepEqual(
    messages.slice(0, 3).map(({ params }) => params),
    [1, 2, 3].map((n) => ({ progressToken: 'p', progress: n, total: 3, message: `step ${n}` })),
  );
  assert.deepEqual(messages[3].result.content, [{ type: 'text', text: 'done' }]);
  assert.equal(messages.length, 4);
});

/** A tool that tells when it runs, and waits until it is given up. */
function patient(server) {
  const running = deferred();
  const aborted = deferred();
  server.tool({ name: 'wait' }, (_, call) => {
    call.signal.addEventListener('abort', () => aborted.resolve(call.signal.reason));
    call.progress(1);
    running.resolve();
    return new Promise(() => {});
  });
  return { running: running.promise, aborted: aborted.promise };
}

test('an aborted request cancels its call', async () => {
  const server = open();
  const { running, aborted } = patient(server);
  const controller = new AbortController();
  const { signal } = controller;
  const answer = server.fetch(stateless('tools/call', { name: 'wait' }, { signal }));
  await running;
  controller.abort();
  await assert.rejects(answer, { name: 'SessionError', code: 'CANCELLED' });
  assert.equal((await aborted).code, 'CANCELLED');
});

test('a stream that nobody wants any more cancels its call', async () => {
  const server = open();
  const { aborted } = patient(server);
  const response = await server.fetch(
    stateless('tools/call', { name: 'wait' }, { meta: { progressToken: 1 } }),
  );
  await response.body.cancel();
  assert.equal((await aborted).code, 'CANCELLED');
});

test('a client that asks and does not read is let go', async () => {
  const server = open();
  const aborted = deferred();
  server.tool({ name: 'flood' }, async (_, call) => {
    call.signal.addEventListener('abort', aborted.resolve);
    const message = 'x'.repeat(1 << 20);
    for (let n = 1; n < 50 && !call.signal.aborted; ++n) {
      call.progress(n, { message });
      await null;
    }
  });
  const response = await server.fetch(
    stateless('tools/call', { name: 'flood' }, { meta: { progressToken: 1 } }),
  );
  await aborted.promise;
  await assert.rejects(response.text(), { code: 'CANCELLED' });
});

test('a notification cancels a call of a session', async () => {
  const server = open();
  const { running, aborted } = patient(server);
  const { headers, request } = await handshake(server);
  const answer = server.fetch(request('tools/call', { name: 'wait' }));
  await running;
  const params = { requestId: 1 };
  const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params };
  assert.equal((await server.fetch(post(notification, headers))).status, 202);
  assert.equal((await aborted).code, 'CANCELLED');
  await answer;
});

test('refuses a body over the limit without reading all of it', async () => {
  const server = open({ maxMessageBytes: 1000 });
  let pulled = 0;
  const endless = () => new ReadableStream({
    pull(controller) {
      pulled += 600;
      controller.enqueue(new Uint8Array(600).fill(0x20));
    },
  });
  const response = await server.fetch(post('', {}, { body: endless(), duplex: 'half' }));
  assert.equal(response.status, 413);
  assert.ok(pulled < 10_000, `${pulled} bytes were read`);
  const json = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  assert.equal((await server.fetch(post(json.padEnd(1000)))).status, 400, 'as large as may be');
  assert.equal((await server.fetch(post(json.padEnd(1001)))).status, 413);
});

test('refuses what is no request of the protocol', async () => {
  const server = open({ hosts: 'loopback' });
  const status = async (request) => (await server.fetch(request)).status;
  assert.equal(await status(post('{')), 400);
  assert.equal(await status(post('[]')), 400);
  assert.equal(await status(post('{}', { 'content-type': 'text/plain' })), 415);
  assert.equal(await status(post('{}', { accept: 'text/html' })), 406);
  assert.equal(await status(post('{}', { origin: 'https://evil.example' })), 403);
  assert.equal(await status(new Request('http://localhost/mcp')), 405);
  const evil = new Request('http://evil.example/mcp', { method: 'POST', body: '{}' });
  assert.equal(await status(evil), 403, 'the Host is taken from the URL, if there is no header');
});

test('tells a handler whose call it is', async () => {
  const server = open();
  server.tool({ name: 'who' }, (_, { principal, era }) => ({ principal, era }));
  assert.deepEqual(
    (await call(server, 'who', {}, { principal: 'alice' })).structuredContent,
    { principal: 'alice', era: 'stateless' },
  );
  const { request } = await handshake(server, { principal: 'bob' });
  const response = await server.fetch(request('tools/call', { name: 'who' }), { principal: 'bob' });
  assert.deepEqual(
    (await response.json()).result.structuredContent,
    { principal: 'bob', era: 'handshake' },
  );
});

function baskets(server) {
  const inputSchema = {
    type: 'object',
    properties: { basket: { type: 'string' }, item: { type: 'string' } },
    required: ['basket'],
  };
  server
    .tool({ name: 'make', state: { makes: 'basket', ttl: 1000 } }, (_, call) => {
      call.state = { items: [] };
      return { basket: call.handle };
    })
    .tool({ name: 'add', inputSchema, state: { takes: 'basket' } }, async ({ item }, call) => {
      await null;
      call.state.items.push(item);
      return call.state;
    })
    .tool({ name: 'list', state: { lists: 'basket' } }, (_, call) => call.handles)
    .tool({ name: 'end', inputSchema, state: { takes: 'basket' } }, (_, call) => {
      call.endHandle();
    });
}

test('keeps state under a handle, for its owner', async () => {
  const server = open();
  baskets(server);
  const alice = { principal: 'alice' };
  const { basket } = (await call(server, 'make', {}, alice)).structuredContent;
  assert.match(basket, /^basket_[\w-]{22,}$/);
  await call(server, 'add', { basket, item: 'apple' }, alice);
  const added = await call(server, 'add', { basket, item: 'pear' }, alice);
  assert.deepEqual(added.structuredContent, { items: ['apple', 'pear'] });
  const [listed] = (await call(server, 'list', {}, alice)).structuredContent;
  assert.equal(listed.handle, basket);
  assert.ok(listed.expiresIn > 0 && listed.expiresIn <= 1000);
  assert.equal((await call(server, 'add', { basket, item: 'x' }, { principal: 'mallory' })).isError, true);
  assert.deepEqual((await call(server, 'end', { basket }, alice)).content, []);
  assert.equal((await call(server, 'add', { basket, item: 'x' }, alice)).isError, true);
});

test('two calls at once lose no write', async () => {
  const server = open();
  baskets(server);
  const { basket } = (await call(server, 'make')).structuredContent;
  const items = Array.from({ length: 4 }, (_, i) => `item ${i}`);
  await Promise.all(items.map((item) => call(server, 'add', { basket, item })));
  const { items: kept } = (await call(server, 'add', { basket, item: 'last' })).structuredContent;
  assert.deepEqual(kept.sort(), [...items, 'last'].sort());
});

test('time is what the clock says', async () => {
  let now = 1000;
  const server = open({ clock: () => now, sessionTtl: 5000 });
  const { request } = await handshake(server);
  now += 4999;
  assert.equal((await server.fetch(request('ping'))).status, 200);
  now += 5000;
  server.wake();
  assert.equal((await server.fetch(request('ping'))).status, 404);
});

test('every answer of a handler is a result', async () => {
  const server = open();
  const answers = new Map(Object.entries({
    text: 'hello',
    nothing: undefined,
    whole: { content: [{ type: 'text', text: 'x' }], structuredContent: { a: 1 }, isError: true },
    structured: { structuredContent: [1, 2] },
    value: { a: [null, true, 'é'] },
    hostile: JSON.parse('{"__proto__":{"x":1},"constructor":"y"}'),
  }));
  for (const [name, answer] of answers) server.tool({ name }, () => answer);
  const results = {};
  for (const name of answers.keys()) {
    const { content, structuredContent, isError } = await call(server, name);
    results[name] = { content, structuredContent, isError };
  }
  const text = (text) => [{ type: 'text', text }];
  const none = { structuredContent: undefined, isError: undefined };
  assert.deepEqual(results, {
    text: { ...none, content: text('hello') },
    nothing: { ...none, content: [] },
    whole: { content: text('x'), structuredContent: { a: 1 }, isError: true },
    structured: { ...none, content: text('[1,2]'), structuredContent: [1, 2] },
    value: {
      ...none,
      content: text('{"a":[null,true,"é"]}'),
      structuredContent: { a: [null, true, 'é'] },
    },
    hostile: {
      ...none,
      content: text('{"__proto__":{"x":1},"constructor":"y"}'),
      structuredContent: answers.get('hostile'),
    },
  });
});

test('a handler that throws fails its call, and only a ToolError is told', async () => {
  const server = open();
  server.tool({ name: 'known' }, () => {
    throw new ToolError('the shop is closed');
  });
  const secret = new Error('password: hunter2');
  server.tool({ name: 'unknown' }, async () => {
    throw secret;
  });
  server.tool({ name: 'circular' }, () => {
    const value = {};
    return Object.assign(value, { value });
  });
  server.tool({ name: 'broken' }, () => ({ content: 'no list' }));
  const errors = [];
  server.addEventListener('error', (event) => {
    event.preventDefault();
    errors.push(event.detail);
  });
  const told = async (name) => {
    const { content, isError } = await call(server, name);
    assert.equal(isError, true);
    return content[0].text;
  };
  assert.equal(await told('known'), 'the shop is closed');
  assert.deepEqual(errors, []);
  for (const name of ['unknown', 'circular', 'broken']) {
    assert.equal(await told(name), 'the tool failed');
  }
  assert.equal(errors[0], secret);
  assert.equal(errors.length, 3);
});

test('misuse is a TypeError', async () => {
  assert.throws(() => new SessionServer({}, { name: 'x', version: '1' }), TypeError);
  assert.throws(() => open({ sessionTtl: -1 }), TypeError);
  assert.throws(() => open({ sesionTtl: 1 }), /unknown option sesionTtl/);
  assert.throws(() => open({ clock: 5 }), TypeError);
  const server = open();
  assert.throws(() => server.tool({ name: 'x' }), TypeError);
  assert.throws(() => server.tool({ name: 'not a name' }, () => {}), TypeError);
  server.tool({ name: 'x' }, () => {});
  assert.throws(() => server.tool({ name: 'x' }, () => {}), TypeError);
  await assert.rejects(server.fetch('http://localhost/mcp'), TypeError);
  assert.throws(() => server.connect({}), TypeError);
});

test('close ends what is open, and what comes after', async () => {
  const server = open();
  const { running, aborted } = patient(server);
  const waiting = server.fetch(stateless('tools/call', { name: 'wait' }));
  await running;
  const streaming = await server.fetch(
    stateless('tools/call', { name: 'wait' }, { meta: { progressToken: 1 } }),
  );
  server.close();
  server.close();
  assert.equal((await aborted).code, 'CANCELLED');
  await assert.rejects(waiting, { code: 'CANCELLED' });
  await assert.rejects(streaming.text(), { code: 'CANCELLED' });
  await assert.rejects(server.fetch(stateless('server/discover')), { code: 'CANCELLED' });
  assert.throws(() => server.tool({ name: 'x' }, () => {}), { code: 'CANCELLED' });
});

// --- ports ---

/** What comes out of a port, message by message. */
function reader(port) {
  const queue = [];
  const waiting = [];
  port.addEventListener('message', ({ data }) => (waiting.shift() ?? ((d) => queue.push(d)))(data));
  port.start();
  return () => new Promise((resolve) => {
    if (queue.length > 0) resolve(queue.shift());
    else waiting.push(resolve);
  });
}

test('serves a port in strings', async () => {
  const server = open();
  const { port1, port2 } = new MessageChannel();
  const connection = server.connect(port1);
  const next = reader(port2);
  port2.postMessage('{"jsonrpc":"2.0","id":1,"method":"ping"}');
  assert.equal(await next(), '{"jsonrpc":"2.0","id":1,"result":{}}');
  connection.close();
  port2.postMessage('{"jsonrpc":"2.0","id":2,"method":"ping"}');
  await new Promise((resolve) => setTimeout(resolve, 20));
  port1.close();
});

test('answers in objects who posts objects, and ignores what is not for it', async () => {
  const server = open();
  const { port1, port2 } = new MessageChannel();
  server.connect(port1);
  const next = reader(port2);
  for (const other of [null, 5, { hello: 1 }, new ArrayBuffer(8)]) port2.postMessage(other);
  port2.postMessage({ jsonrpc: '2.0', id: 'x', method: 'ping' });
  assert.deepEqual(await next(), { jsonrpc: '2.0', id: 'x', result: {} });
  port1.close();
});

test('a port that closes cancels its calls', async () => {
  const server = open();
  const { running, aborted } = patient(server);
  const { port1, port2 } = new MessageChannel();
  server.connect(port1);
  port2.postMessage({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'wait',
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
  await running;
  const closed = happens(port1, 'close');
  port2.close();
  await closed;
  assert.equal((await aborted).code, 'CANCELLED');
});

test('what a handler throws after its call was given up is no mistake', async () => {
  const called = deferred();
  const server = open();
  server.tool({ name: 'hangs' }, (_, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('gone')));
    called.resolve();
  }));
  let mistakes = 0;
  server.addEventListener('error', (event) => {
    event.preventDefault();
    mistakes += 1;
  });
  const client = new mcp.McpClient(core, { name: 'test', version: '1.0', fetch: (each) => server.fetch(each) });
  const controller = new AbortController();
  const call = client.callTool('hangs', {}, { signal: controller.signal });
  await called.promise;
  controller.abort();
  await assert.rejects(call, { code: 'CANCELLED' });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(mistakes, 0);
  await client.close();
  // Nor is one that was given up before it came.
  const late = stateless('tools/call', { name: 'hangs' }, { signal: AbortSignal.abort('late') });
  await assert.rejects(server.fetch(late), { code: 'CANCELLED' });
  assert.equal(mistakes, 0);
  server.close();
});
