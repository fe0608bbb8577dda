import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { HANDSHAKE, STATELESS, deferred, happens, mcp, newCore } from './support.mjs';

const { McpClient, SessionServer } = mcp;
const core = await newCore();
const about = { name: 'test-client', version: '1.0' };

function makeServer(options) {
  const server = new SessionServer(core, { name: 'test-server', version: '2.0', ...options });
  server
    .tool({ name: 'echo', title: 'Echo' }, (args) => args)
    .tool({ name: 'count', state: { session: true } }, (_, { state }) => {
      state.count = (state.count ?? 0) + 1;
      return state;
    })
    .tool({ name: 'steps' }, async (_, call) => {
      for (const step of [1, 2, 3]) {
        call.progress(step, { total: 3 });
        await null;
      }
      return 'done';
    });
  return server;
}

const inProcess = (server, options) => new McpClient(core, {
  fetch: (request) => server.fetch(request),
  ...about,
  ...options,
});

for (const era of ['auto', 'stateless', 'handshake']) {
  test(`opens, lists, calls and closes: ${era}`, async () => {
    const client = inProcess(makeServer(), { era });
    assert.equal(client.connected, false);
    await client.connect();
    await client.connect();
    assert.equal(client.connected, true);
    assert.deepEqual(client.serverInfo, { name: 'test-server', version: '2.0' });
    assert.deepEqual(client.capabilities, { tools: {} });
    if (era === 'handshake') {
      assert.equal(client.era, 'handshake');
      assert.equal(client.protocolVersion, '2025-11-25');
      assert.match(client.sessionId, /^[\w-]{22,}$/);
      const { idle, maxLife, expiresAt } = client.sessionTtl;
      assert.deepEqual([idle, maxLife], [30 * 60_000, 24 * 3_600_000]);
      assert.ok(Math.abs(expiresAt - Date.now() - idle) < 5000);
    } else {
      assert.equal(client.era, 'stateless');
      assert.equal(client.protocolVersion, '2026-07-28');
      assert.equal(client.sessionId, undefined);
      assert.equal(client.sessionTtl, undefined);
    }
    assert.deepEqual((await client.listTools()).map(({ name }) => name), ['echo', 'count', 'steps']);
    const { structuredContent } = await client.callTool('echo', { text: 'é ☃ 𝄞' });
    assert.deepEqual(structuredContent, { text: 'é ☃ 𝄞' });
    const progress = [];
    const { content } =
      await client.callTool('steps', {}, { onProgress: (each) => progress.push(each) });
    assert.equal(content[0].text, 'done');
    assert.deepEqual(progress, [1, 2, 3].map((n) => ({ progress: n, total: 3 })));
    await assert.rejects(client.callTool('none'), {
      name: 'SessionError',
      code: 'INVALID_PARAMS',
      rpc: { code: -32602, message: 'unknown tool' },
    });
    const closed = happens(client, 'close');
    await Promise.all([client.close(), client.close(), closed]);
    assert.equal(client.connected, false);
    await assert.rejects(client.callTool('echo'), { code: 'CANCELLED' });
    await client.close();
  });
}

test('opens by itself, once', async () => {
  const client = inProcess(makeServer(), { era: 'handshake' });
  const counts = await Promise.all([1, 2, 3].map(() => client.callTool('count')));
  assert.deepEqual(counts.map((each) => each.structuredContent.count).sort(), [1, 2, 3]);
  await client.close();
});

test('close ends the session at the server', async () => {
  const server = makeServer();
  const client = inProcess(server, { era: 'handshake' });
  await client.connect();
  const headers = { 'mcp-session-id': client.sessionId };
  await client.close();
  const again = new Request('http://localhost/mcp', { method: 'DELETE', headers });
  assert.equal((await server.fetch(again)).status, 404);
});

test('a session that is gone is told, and the call goes on in another', async () => {
  const server = makeServer();
  const client = inProcess(server, { era: 'handshake' });
  await client.callTool('count');
  await client.callTool('count');
  const first = client.sessionId;
  const headers = { 'mcp-session-id': first };
  await server.fetch(new Request('http://localhost/mcp', { method: 'DELETE', headers }));
  const lost = happens(client, 'sessionlost');
  // Three at once: one new session for all, and each is done once.
  const calls = [1, 2, 3].map(() => client.callTool('count'));
  await lost;
  const counts = (await Promise.all(calls)).map(({ structuredContent }) => structuredContent.count);
  assert.deepEqual(counts.sort(), [1, 2, 3]);
  assert.notEqual(client.sessionId, first);
  await client.close();
});

test('a session is kept, and another client goes on in it without a word to the server', async () => {
  const server = makeServer();
  const client = inProcess(server, { era: 'handshake' });
  await client.callTool('count');
  const saved = JSON.parse(JSON.stringify(client.session));
  await client.close({ keepSession: true });
  const methods = [];
  const later = inProcess(server, { session: saved });
  later.addEventListener('message', ({ detail }) => {
    if (detail.direction === 'out' && detail.text) methods.push(JSON.parse(detail.text).method);
  });
  assert.deepEqual((await later.callTool('count')).structuredContent, { count: 2 });
  assert.deepEqual(methods, ['tools/call']);
  assert.equal(later.serverInfo.name, 'test-server');
  await later.close();
  // One that is not known any more is replaced.
  const last = inProcess(server, { session: saved });
  assert.deepEqual((await last.callTool('count')).structuredContent, { count: 1 });
  assert.notEqual(last.sessionId, saved.sessionId);
  await last.close();
  for (const bad of [{}, { ...saved, form: 2 }, { ...saved, revision: '1999-01-01' }, 7]) {
    assert.throws(() => inProcess(server, { session: bad }), TypeError);
  }
});

/** A server of either era that asks for a name before it greets. */
function asking() {
  const question = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } } };
  const answered = (result) => ({ content: [{ type: 'text', text: JSON.stringify(result) }] });
  const meta = { 'io.modelcontextprotocol/serverInfo': { name: 'asks', version: '1' } };
  const json = (body, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  let reply;
  return async (request) => {
    const { id, method, params, result, error } = await request.json();
    if (method === 'server/discover') {
      return json({ jsonrpc: '2.0', id, result: { resultType: 'complete', supportedVersions: [STATELESS], capabilities: { tools: {} }, _meta: meta } });
    }
    if (method === 'initialize') {
      return json({ jsonrpc: '2.0', id, result: { protocolVersion: HANDSHAKE, capabilities: {}, serverInfo: { name: 'asks', version: '1' } } });
    }
    if (method === undefined) reply(result ?? error);
    if (id === undefined || method === undefined) return new Response(null, { status: 202 });
    if (request.headers.get('mcp-protocol-version') === STATELESS) {
      const given = params.inputResponses?.who;
      if (!given) {
        return json({ jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests: { who: question }, requestState: 'sealed' } });
      }
      assert.equal(params.requestState, 'sealed');
      return json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...answered(given) } });
    }
    const replied = new Promise((resolve) => { reply = resolve; });
    const stream = new ReadableStream({
      async start(controller) {
        const send = (message) =>
          controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`));
        send({ id: 'q', ...question });
        send({ id, result: answered(await replied) });
        controller.close();
      },
    });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  };
}

for (const era of ['handshake', 'stateless']) {
  test(`the same function answers what a ${era} server asks`, async () => {
    const asked = [];
    const client = new McpClient(core, {
      ...about,
      era,
      fetch: asking(),
      answers: {
        'elicitation/create': async (params) => {
          asked.push(params.message);
          return { action: 'accept', content: { name: 'Ada' } };
        },
      },
    });
    const { content } = await client.callTool('greet');
    assert.deepEqual(JSON.parse(content[0].text), { action: 'accept', content: { name: 'Ada' } });
    assert.deepEqual(asked, ['Who?']);
    await client.close();
  });
}

test('the log has every message in both directions', async () => {
  const client = inProcess(makeServer(), { era: 'handshake' });
  const log = [];
  client.addEventListener('message', ({ detail }) => {
    assert.ok(Math.abs(detail.at - Date.now()) < 5000);
    const { method, params, result } = detail.text ? JSON.parse(detail.text) : {};
    log.push([
      detail.direction,
      detail.via,
      detail.status,
      method ?? (result && 'result'),
      params?.progress,
    ]);
  });
  await client.callTool('steps', {}, { onProgress() {} });
  await client.close();
  assert.deepEqual(log, [
    ['out', 'POST /mcp', undefined, 'initialize', undefined],
    ['in', 'POST /mcp', 200, 'result', undefined],
    ['out', 'POST /mcp', undefined, 'notifications/initialized', undefined],
    // The head of the response is enough to go on.
    ['out', 'POST /mcp', undefined, 'tools/call', undefined],
    ['in', 'POST /mcp', 202, undefined, undefined],
    ['in', 'POST /mcp', 200, 'notifications/progress', 1],
    ['in', 'POST /mcp', 200, 'notifications/progress', 2],
    ['in', 'POST /mcp', 200, 'notifications/progress', 3],
    ['in', 'POST /mcp', 200, 'result', undefined],
    ['out', 'DELETE /mcp', undefined, undefined, undefined],
    ['in', 'DELETE /mcp', 204, undefined, undefined],
  ]);
});

test('aborting a request cancels it at the peer', async () => {
  for (const era of ['stateless', 'handshake']) {
    const server = makeServer();
    const running = deferred();
    const gone = deferred();
    server.tool({ name: 'wait' }, (_, call) => {
      call.signal.addEventListener('abort', gone.resolve);
      running.resolve();
      return new Promise(() => {});
    });
    const client = inProcess(server, { era });
    const controller = new AbortController();
    const answer = client.callTool('wait', {}, { signal: controller.signal });
    await running.promise;
    controller.abort('enough');
    await assert.rejects(answer, { code: 'CANCELLED', cause: 'enough' });
    await gone.promise;
    await assert.rejects(client.callTool('echo', {}, { signal: AbortSignal.abort() }), {
      code: 'CANCELLED',
    });
    await client.close();
  }
});

test('connect can be given up', async () => {
  const asked = deferred();
  const client = new McpClient(core, {
    ...about,
    fetch: (request) => new Promise((_, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason));
      asked.resolve();
    }),
  });
  const controller = new AbortController();
  const connecting = client.connect({ signal: controller.signal });
  await asked.promise;
  controller.abort();
  await assert.rejects(connecting, { code: 'CANCELLED' });
  await client.close();
});

test('a request without an answer times out', async () => {
  const server = makeServer();
  server.tool({ name: 'never' }, () => new Promise(() => {}));
  const client = inProcess(server, { era: 'stateless' });
  // A deadline alone keeps no Node program running; here something must.
  const running = setInterval(() => {}, 1000);
  await assert.rejects(client.callTool('never', {}, { timeout: 30 }), { code: 'TIMEOUT' });
  clearInterval(running);
  await client.close();
});

test('headers and credentials go with every request', async () => {
  const server = makeServer();
  const seen = new Set();
  let asked = 0;
  const client = new McpClient(core, {
    ...about,
    credentials: 'include',
    headers: async () => ({ authorization: `Bearer ${++asked}`, 'mcp-method': 'not this' }),
    fetch: (request) => {
      seen.add(request.credentials);
      assert.equal(request.headers.get('authorization'), `Bearer ${asked}`);
      return server.fetch(request);
    },
  });
  await client.listTools();
  assert.ok(asked >= 2);
  assert.deepEqual([...seen], ['include']);
  await client.close();
});

test('a server that cannot be reached is TRANSPORT, with the cause', async () => {
  const cause = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
  const client = new McpClient(core, { ...about, fetch: () => Promise.reject(cause) });
  await assert.rejects(client.connect(), { code: 'TRANSPORT', cause });
  await client.close();
});

// A browser does not say why it refuses: a server whose CORS answers do not know the headers of
// the stateless era looks like that (spec section 13).
test('an opaque refusal of the probe falls back to the handshake', async () => {
  const server = makeServer();
  const client = new McpClient(core, {
    ...about,
    fetch: (request) => request.headers.has('mcp-method')
      ? Promise.reject(new TypeError('Failed to fetch'))
      : server.fetch(request),
  });
  await client.connect();
  assert.equal(client.era, 'handshake');
  await client.close();
});

test('speaks HTTP', async () => {
  const server = makeServer();
  const node = http.createServer(async (incoming, outgoing) => {
    const response = await server.fetch(new Request(`http://${incoming.headers.host}/mcp`, {
      method: incoming.method,
      headers: incoming.headers,
      ...(incoming.method === 'POST' ? { body: incoming, duplex: 'half' } : {}),
    }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    for await (const chunk of response.body ?? []) outgoing.write(chunk);
    outgoing.end();
  });
  await new Promise((resolve) => node.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${node.address().port}/mcp`;
  for (const era of ['stateless', 'handshake']) {
    const client = new McpClient(core, { ...about, url, era });
    const progress = [];
    const onProgress = ({ progress: n }) => progress.push(n);
    assert.equal((await client.callTool('steps', {}, { onProgress })).content[0].text, 'done');
    assert.deepEqual(progress, [1, 2, 3]);
    await client.close();
  }
  node.close();
  node.closeAllConnections();
  const refused = new McpClient(core, { ...about, url });
  await assert.rejects(refused.connect(), (error) => error.code === 'TRANSPORT' && !!error.cause);
});

test('talks to a server over a port', async () => {
  for (const era of ['auto', 'handshake', 'stateless']) {
    const { port1, port2 } = new MessageChannel();
    makeServer().connect(port1);
    const client = new McpClient(core, { ...about, port: port2, era });
    const log = [];
    client.addEventListener('message', ({ detail }) => log.push(detail));
    const progress = [];
    const onProgress = ({ progress: n }) => progress.push(n);
    assert.equal((await client.callTool('steps', {}, { onProgress })).content[0].text, 'done');
    assert.deepEqual(progress, [1, 2, 3]);
    assert.equal(client.era, era === 'auto' ? 'stateless' : era);
    assert.equal(client.sessionId, undefined);
    assert.equal(JSON.parse(log.at(-1).text).result.content[0].text, 'done');
    assert.deepEqual([log.at(-1).direction, log.at(-1).via, log.at(-1).status], ['in', undefined, undefined]);
    const closed = happens(port1, 'close');
    await client.close();
    await closed;
  }
});

test('a port that closes fails what waits, and closes the client', async () => {
  const { port1, port2 } = new MessageChannel();
  const server = makeServer();
  const running = deferred();
  server.tool({ name: 'wait' }, () => {
    running.resolve();
    return new Promise(() => {});
  });
  server.connect(port1);
  const client = new McpClient(core, { ...about, port: port2 });
  const answer = client.callTool('wait');
  await running.promise;
  const closed = happens(client, 'close');
  port1.close();
  await assert.rejects(answer, { code: 'TRANSPORT' });
  await closed;
  await assert.rejects(client.listTools(), { code: 'CANCELLED' });
});

test('understands objects on a port', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.addEventListener('message', ({ data }) => {
    const { id, method } = typeof data === 'string' ? JSON.parse(data) : data;
    if (id === undefined) return;
    const results = {
      initialize: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        serverInfo: { name: 's', version: '1' },
        instructions: 'hello',
      },
      'tools/list': { tools: [{ name: 'x', inputSchema: { type: 'object' } }] },
    };
    const outcome = results[method]
      ? { result: results[method] }
      : { error: { code: -32601, message: 'unknown' } };
    port1.postMessage({ jsonrpc: '2.0', id, ...outcome });
    if (method === 'tools/list') {
      port1.postMessage({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    }
  });
  port1.start();
  const client = new McpClient(core, { ...about, port: port2 });
  const notified = happens(client, 'notification');
  assert.deepEqual((await client.listTools()).map(({ name }) => name), ['x']);
  assert.equal(client.protocolVersion, '2025-06-18');
  assert.equal(client.instructions, 'hello');
  assert.equal((await notified).detail.method, 'notifications/tools/list_changed');
  await client.close();
});

test('lists page by page, and not for ever', async () => {
  let pages = 3;
  const client = new McpClient(core, {
    ...about,
    era: 'stateless',
    fetch: async (request) => {
      const { id, method, params } = await request.json();
      const page = Number(params.cursor ?? 0);
      const result = method === 'server/discover'
        ? { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
        : {
            tools: [{ name: `t${page}`, inputSchema: { type: 'object' } }],
            ...(page + 1 < pages ? { nextCursor: String(page + 1) } : {}),
          };
      return Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } });
    },
  });
  assert.deepEqual((await client.listTools()).map(({ name }) => name), ['t0', 't1', 't2']);
  pages = Infinity;
  await assert.rejects(client.listTools(), { code: 'TOO_LARGE' });
  await client.close();
});

test('misuse is a TypeError', async () => {
  for (const options of [
    {},
    { url: 'http://x/', port: new MessageChannel().port1 },
    { url: 'no url' },
    { port: {} },
    { url: 'http://x/', era: 'old' },
    { url: 'http://x/', requestTimeout: 0 },
    { url: 'http://x/', timeot: 1 },
  ]) {
    assert.throws(() => new McpClient(core, { ...about, ...options }), TypeError);
  }
  const client = inProcess(makeServer());
  await assert.rejects(client.request(5), TypeError);
  await assert.rejects(client.request('x', [1]), TypeError);
  await assert.rejects(client.callTool('echo', {}, { timeout: -1 }), TypeError);
  await client.close();
});
