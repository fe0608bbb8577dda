// sdk_test.mjs CORE.wasm: the package and the official TypeScript SDK, each side with the other.
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { test } from 'node:test';
import { z } from 'zod';
import { deferred, mcp, newCore } from './support.mjs';

const { ClientTransport, McpClient, SessionServer } = mcp;
const core = await newCore();
const about = { name: 'test', version: '1.0' };

function makeServer() {
  return new SessionServer(core, about)
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
}
const overFetch = (server) => ({
  fetch: (url, options) => server.fetch(new Request(url, options)),
});
const url = new URL('http://localhost/mcp');

async function exercise(client) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name), ['count', 'steps']);
  const progress = [];
  const onprogress = ({ progress: n }) => progress.push(n);
  const call = { name: 'steps', arguments: {} };
  const { content } = client instanceof Client1
    ? await client.callTool(call, undefined, { onprogress })
    : await client.callTool(call, { onprogress });
  assert.equal(content[0].text, 'done');
  assert.deepEqual(progress, [1, 2, 3]);
}

test('the SDK 1.x keeps a session with a SessionServer', async () => {
  const server = makeServer();
  const transport = new Transport1(url, overFetch(server));
  const client = new Client1(about);
  await client.connect(transport);
  await exercise(client);
  await client.callTool({ name: 'count' });
  assert.deepEqual((await client.callTool({ name: 'count' })).structuredContent, { count: 2 });
  await transport.terminateSession();
  await client.close();
});

for (const mode of ['auto', 'legacy', { pin: '2026-07-28' }]) {
  test(`the SDK 2.x talks to a SessionServer: ${JSON.stringify(mode)}`, async () => {
    const client = new Client2(about, { versionNegotiation: { mode } });
    await client.connect(new Transport2(url, overFetch(makeServer())));
    await exercise(client);
    await client.close();
  });
}

/** The SDK's transport over a port, which posts objects. */
class PortTransport {
  constructor(port) {
    this.port = port;
  }
  async start() {
    this.port.addEventListener('message', ({ data }) => this.onmessage?.(data));
    this.port.start();
  }
  async send(message) {
    this.port.postMessage(message);
  }
  async close() {
    this.port.close();
    this.onclose?.();
  }
}

test('the SDK talks to a SessionServer over a port', async () => {
  for (const client of [new Client1(about), new Client2(about)]) {
    const { port1, port2 } = new MessageChannel();
    makeServer().connect(port1);
    await client.connect(new PortTransport(port2));
    await exercise(client);
    await client.close();
  }
});

/** A server of the SDK 1.x. */
function sdkServer() {
  const server = new McpServer({ name: 'sdk', version: '1' });
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }, extra) => {
    const { progressToken } = extra._meta ?? {};
    for (const progress of progressToken === undefined ? [] : [1, 2]) {
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress },
      });
    }
    return { content: [{ type: 'text', text: String(a + b) }] };
  });
  return server;
}

async function exerciseOurs(client) {
  assert.deepEqual((await client.listTools()).map(({ name }) => name), ['add']);
  const progress = [];
  const onProgress = ({ progress: n }) => progress.push(n);
  const { content } = await client.callTool('add', { a: 1, b: 2 }, { onProgress });
  assert.equal(content[0].text, '3');
  assert.deepEqual(progress, [1, 2]);
  assert.equal(client.era, 'handshake');
  assert.equal(client.serverInfo.name, 'sdk');
}

test('a McpClient keeps a session with a server of the SDK 1.x', async () => {
  const sessions = new Map();
  const node = http.createServer(async (incoming, outgoing) => {
    let transport = sessions.get(incoming.headers['mcp-session-id']);
    if (!transport) {
      if (incoming.headers['mcp-session-id']) return outgoing.writeHead(404).end();
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => sessions.set(id, transport),
        onsessionclosed: (id) => sessions.delete(id),
      });
      await sdkServer().connect(transport);
    }
    await transport.handleRequest(incoming, outgoing);
  });
  await new Promise((resolve) => node.listen(0, '127.0.0.1', resolve));
  const client = new McpClient(core, { ...about, url: `http://127.0.0.1:${node.address().port}/mcp` });
  await exerciseOurs(client);
  assert.deepEqual([...sessions.keys()], [client.sessionId]);
  // It goes on in a new one.
  sessions.clear();
  await exerciseOurs(client);
  assert.equal(sessions.size, 1);
  await client.close();
  assert.equal(sessions.size, 0);
  node.close();
  node.closeAllConnections();
});

test('a McpClient talks to a server of the SDK over a port', async () => {
  const { port1, port2 } = new MessageChannel();
  // It speaks objects only.
  const server = sdkServer();
  const transport = new PortTransport(port1);
  const receive = (event) => transport.onmessage?.(
    typeof event.data === 'string' ? JSON.parse(event.data) : event.data,
  );
  transport.start = async () => {
    port1.addEventListener('message', receive);
    port1.start();
  };
  await server.connect(transport);
  const client = new McpClient(core, { ...about, port: port2 });
  await exerciseOurs(client);
  await client.close();
});

// Over our transport either SDK talks to a server of either era.
const clients = [
  ['1.x', () => new Client1(about)],
  ...['auto', 'legacy', { pin: '2026-07-28' }].map((mode) => [
    `2.x, ${JSON.stringify(mode)},`,
    () => new Client2(about, { versionNegotiation: { mode } }),
  ]),
];
for (const [name, makeClient] of clients) {
  for (const era of ['handshake', 'stateless']) {
    if (era === 'handshake' && name.includes('pin')) continue; // it wants the other one
    test(`the SDK ${name} over a ClientTransport, ${era}`, async () => {
      const server = makeServer();
      const transport = new ClientTransport(core, { era, fetch: (request) => server.fetch(request) });
      const client = makeClient();
      await client.connect(transport);
      await exercise(client);
      assert.equal(client.getServerVersion().name, 'test');
      assert.equal(transport.sessionId === undefined, era === 'stateless');
      if (era === 'handshake') {
        await client.callTool({ name: 'count' });
        assert.deepEqual((await client.callTool({ name: 'count' })).structuredContent, { count: 2 });
      }
      // The SDK 2.x itself knows that 2026-07-28 has none.
      if (name === '1.x' || era === 'handshake') await client.ping();
      await client.close();
    });
  }
}

test('a ClientTransport passes errors, cancellation and the end on', async () => {
  for (const [client, request] of [
    [new Client1(about), (options) => [undefined, options]],
    [new Client2(about), (options) => [options]],
  ]) {
    const hangs = deferred();
    const cancelled = deferred();
    const server = makeServer().tool({ name: 'hangs' }, (_, { signal }) => {
      signal.addEventListener('abort', () => cancelled.resolve());
      hangs.resolve();
      return new Promise(() => {});
    });
    await client.connect(new ClientTransport(core, { fetch: (it) => server.fetch(it) }));
    await assert.rejects(client.callTool({ name: 'nobody' }), { code: -32602 });
    const controller = new AbortController();
    const call = client.callTool({ name: 'hangs' }, ...request({ signal: controller.signal }));
    await hangs.promise;
    controller.abort('enough');
    await assert.rejects(call);
    await cancelled.promise;
    const closed = deferred();
    client.onclose = () => closed.resolve();
    await client.close();
    await closed.promise;
  }
});

test('a ClientTransport goes on in a new session when the server forgot the old one', async () => {
  let server = makeServer();
  const transport = new ClientTransport(core, { era: 'handshake', fetch: (it) => server.fetch(it) });
  const client = new Client1(about);
  await client.connect(transport);
  await client.callTool({ name: 'count' });
  const before = transport.sessionId;
  server = makeServer();
  assert.deepEqual((await client.callTool({ name: 'count' })).structuredContent, { count: 1 });
  assert.notEqual(transport.sessionId, before);
  await client.close();
});

test('a ClientTransport that reaches no server says so', async () => {
  const unreachable = async () => {
    throw new TypeError('no network', { cause: 'test' });
  };
  for (const client of [new Client1(about), new Client2(about)]) {
    await assert.rejects(client.connect(new ClientTransport(core, { fetch: unreachable })), {
      code: 'TRANSPORT',
    });
  }
});
