// sdk_servers_test.mjs CORE.wasm: McpClient with servers of the official TypeScript SDK: 2.x in both eras,
// and the oldest transport of 1.x.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import {
  McpServer,
  WebStandardStreamableHTTPServerTransport,
  acceptedContent,
  createMcpHandler,
  inputRequired,
} from '@modelcontextprotocol/server';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, test } from 'node:test';
import * as z from 'zod/v4';
import { deferred, happens, mcp, newCore } from './support.mjs';

const { ClientTransport, McpClient } = mcp;
const core = await newCore();
const about = { name: 'test', version: '1.0' };
const SHELF = 'demo://shelf';

/** @param {any} [options] */
function makeServer(options) {
  const capabilities = { resources: { subscribe: true } };
  const server = new McpServer({ name: 'sdk', version: '2' }, { capabilities, ...options });
  server.registerTool('add', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }, { mcpReq }) => {
    const { progressToken } = mcpReq._meta ?? {};
    for (const progress of progressToken === undefined ? [] : [1, 2]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
    }
    return { content: [{ type: 'text', text: String(a + b) }] };
  });
  server.registerResource('shelf', SHELF, {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'books' }] }));
  server.registerPrompt('greet', {}, async () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }],
  }));
  return server;
}

async function exercise(client, era) {
  assert.deepEqual((await client.listTools()).map(({ name }) => name), ['add']);
  const progress = [];
  const onProgress = ({ progress: n }) => progress.push(n);
  const { content } = await client.callTool('add', { a: 1, b: 2 }, { onProgress });
  assert.equal(content[0].text, '3');
  assert.deepEqual(progress, [1, 2]);
  assert.deepEqual((await client.listResources()).map(({ uri }) => uri), [SHELF]);
  assert.deepEqual(await client.listResourceTemplates(), []);
  assert.deepEqual((await client.listPrompts()).map(({ name }) => name), ['greet']);
  assert.equal((await client.readResource(SHELF)).contents[0].text, 'books');
  assert.equal(client.era, era);
  assert.equal(client.serverInfo.name, 'sdk');
}

/** What the client asked, by method. */
function asked(client) {
  const methods = [];
  client.addEventListener('message', ({ detail: { direction, text } }) => {
    if (direction === 'out' && text) methods.push(JSON.parse(text).method);
  });
  return methods;
}

const stateless = (options, server) => createMcpHandler(() => makeServer(server), options);

/** Sessions, as a program keeps them that uses the SDK's transport by itself. */
function sessions() {
  const transports = new Map();
  const fetch = async (request) => {
    const id = request.headers.get('mcp-session-id');
    let transport = transports.get(id);
    if (!transport && id) return new Response(null, { status: 404 });
    if (!transport) {
      transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (made) => void transports.set(made, transport),
        onsessionclosed: (made) => void transports.delete(made),
      });
      transport.server = makeServer();
      const subscribed = (transport.subscribed = []);
      transport.server.server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
        if (uri !== SHELF) throw new Error('no such resource');
        subscribed.push(uri);
        return {};
      });
      transport.server.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
        subscribed.splice(subscribed.indexOf(uri), 1);
        return {};
      });
      await transport.server.connect(transport);
    }
    return transport.handleRequest(request);
  };
  return { fetch, transports };
}

test('a server of the SDK 2.x without sessions', async () => {
  for (const options of [{}, { legacy: 'reject' }]) {
    const client = new McpClient(core, { ...about, fetch: stateless(options).fetch });
    await exercise(client, 'stateless');
    await client.close();
  }
});

test('a server of the SDK 2.x that keeps sessions, and forgets one', async () => {
  const { fetch, transports } = sessions();
  const client = new McpClient(core, { ...about, fetch });
  await exercise(client, 'handshake');
  assert.deepEqual([...transports.keys()], [client.sessionId]);
  transports.clear();
  await exercise(client, 'handshake');
  assert.equal(transports.size, 1);
  await client.close();
  assert.equal(transports.size, 0);
});

test('the older half of a stateless server of the SDK 2.x', async () => {
  const client = new McpClient(core, { ...about, era: 'handshake', fetch: stateless().fetch });
  await exercise(client, 'handshake');
  assert.equal(client.sessionId, undefined);
  await client.close();
});

test('a question of a tool of the SDK 2.x', async () => {
  const confirmation = z.object({ sure: z.boolean() });
  const handler = createMcpHandler(() => {
    const server = makeServer();
    server.registerTool('deploy', { inputSchema: z.object({}) }, async (_, { mcpReq }) => {
      const content = acceptedContent(mcpReq.inputResponses, 'confirm', confirmation);
      if (content?.sure) return { content: [{ type: 'text', text: 'deployed' }] };
      const confirm = inputRequired.elicit({ message: 'Sure?', requestedSchema: confirmation });
      return inputRequired({ inputRequests: { confirm } });
    });
    return server;
  });
  const answers = { 'elicitation/create': ({ message }) => ({ action: 'accept', content: { sure: message === 'Sure?' } }) };
  const client = new McpClient(core, { ...about, answers, fetch: handler.fetch });
  assert.equal((await client.callTool('deploy')).content[0].text, 'deployed');
  await client.close();
});

test('what a server lets its clients keep is not asked for again', async () => {
  const hint = { ttlMs: 60_000, cacheScope: 'private' };
  const handler = stateless({}, { cacheHints: { 'tools/list': hint, 'resources/list': hint, 'resources/read': hint } });
  const client = new McpClient(core, { ...about, fetch: handler.fetch });
  const methods = asked(client);
  await exercise(client, 'stateless');
  methods.length = 0;
  await exercise(client, 'stateless');
  assert.deepEqual(methods, ['tools/call', 'resources/templates/list', 'prompts/list']);
  methods.length = 0;
  await client.listTools({ cache: 'reload' });
  assert.deepEqual(methods, ['tools/list']);
  // Until it says that something changed.
  const changes = client.changes({ tools: true, uris: [SHELF] });
  await changes.next();
  methods.length = 0;
  await client.listTools();
  await client.readResource(SHELF);
  assert.deepEqual(methods, ['tools/list', 'resources/read'], 'what changed before is not known');
  handler.notify.toolsChanged();
  assert.equal((await changes.next()).value.method, 'notifications/tools/list_changed');
  methods.length = 0;
  await client.listTools();
  await client.readResource(SHELF);
  assert.deepEqual(methods, ['tools/list']);
  handler.notify.resourceUpdated(SHELF);
  const { value } = await changes.next();
  assert.equal(value.method, 'notifications/resources/updated');
  assert.equal(value.params.uri, SHELF);
  methods.length = 0;
  await client.listTools();
  await client.readResource(SHELF);
  assert.deepEqual(methods, ['resources/read']);
  await changes.return();
  await client.close();
});

test('a client hears of changes, and goes on hearing of them after a broken stream', async () => {
  let handler = stateless();
  const client = new McpClient(core, { ...about, fetch: (request) => handler.fetch(request) });
  const heard = [];
  const controller = new AbortController();
  const two = deferred();
  const ended = (async () => {
    for await (const { method } of client.changes({ tools: true, prompts: true }, { signal: controller.signal })) {
      heard.push(method.slice('notifications/'.length));
      if (method.endsWith('acknowledged')) {
        handler.notify.resourcesChanged(); // nobody asked
        handler.notify.toolsChanged();
      } else {
        const before = handler;
        handler = stateless();
        await before.close();
        if (heard.length === 4) two.resolve();
      }
    }
  })();
  await two.promise;
  assert.deepEqual(heard, [
    'subscriptions/acknowledged', 'tools/list_changed', 'subscriptions/acknowledged', 'tools/list_changed',
  ]);
  controller.abort('enough');
  await assert.rejects(ended, { code: 'CANCELLED', cause: 'enough' });
  await client.close();
});

test('a client hears of changes in a session, and in the next one', async () => {
  const { fetch, transports } = sessions();
  const client = new McpClient(core, { ...about, fetch, listen: true });
  const wanted = { tools: true, prompts: false, uris: [SHELF, 'demo://none'] };
  const changes = client.changes(wanted);
  const next = async () => (await changes.next()).value;
  for (const round of [1, 2]) {
    const { method, params } = await next();
    assert.equal(method, 'notifications/subscriptions/acknowledged', `round ${round}`);
    assert.deepEqual(JSON.parse(JSON.stringify(params)), {
      notifications: { toolsListChanged: true, resourceSubscriptions: [SHELF] },
    });
    const [[id, transport]] = transports;
    assert.deepEqual(transport.subscribed, [SHELF]);
    transport.server.sendPromptListChanged();
    transport.server.sendToolListChanged();
    assert.equal((await next()).method, 'notifications/tools/list_changed');
    await transport.server.server.sendResourceUpdated({ uri: SHELF });
    assert.deepEqual((await next()).params, { uri: SHELF });
    if (round === 1) {
      transports.delete(id);
      await transport.close();
    }
  }
  const [[, transport]] = transports;
  await changes.return();
  await client.listTools();
  assert.deepEqual(transport.subscribed, []);
  await client.close();
});

test('changes that cannot be heard of are refused', async () => {
  const session = new McpClient(core, { ...about, fetch: sessions().fetch });
  await assert.rejects(session.changes({ tools: true }).next(), TypeError);
  await session.close();
  const unreachable = async () => {
    throw new TypeError('no network', { cause: 'test' });
  };
  const away = new McpClient(core, { ...about, fetch: unreachable });
  await assert.rejects(away.changes({ tools: true }).next(), { code: 'TRANSPORT' });
  await away.close();
  // Closed while it listens: there is no more to hear.
  const client = new McpClient(core, { ...about, fetch: stateless().fetch });
  const changes = client.changes({ tools: true });
  await changes.next();
  const last = changes.next();
  await client.close();
  assert.deepEqual(await last, { done: true, value: undefined });
});

test('several hear of changes, each of its own', async () => {
  const handler = stateless();
  const client = new McpClient(core, { ...about, fetch: handler.fetch });
  const both = [client.changes({ tools: true }), client.changes({ prompts: true })];
  const honoured = await Promise.all(both.map(async (each) => (await each.next()).value.params.notifications));
  assert.deepEqual(honoured, [{ toolsListChanged: true }, { promptsListChanged: true }]);
  handler.notify.promptsChanged();
  handler.notify.toolsChanged();
  handler.notify.toolsChanged();
  const heard = await Promise.all(both.map(async (each) => (await each.next()).value.method));
  assert.deepEqual(heard, ['notifications/tools/list_changed', 'notifications/prompts/list_changed']);
  await Promise.all(both.map((each) => each.return()));
  await client.close();
});

test('headers that a call lacks are learned from the list of tools, once', async () => {
  const seen = [];
  const handler = createMcpHandler(() => {
    const server = makeServer();
    const inputSchema = z.object({ city: z.string().meta({ 'x-mcp-header': 'City' }) });
    server.registerTool('weather', { inputSchema }, async ({ city }) => ({ content: [{ type: 'text', text: city }] }));
    return server;
  });
  const fetch = (request) => {
    seen.push(`${request.headers.get('mcp-method')} ${request.headers.get('mcp-param-city') ?? ''}`.trim());
    return handler.fetch(request);
  };
  const client = new McpClient(core, { ...about, fetch });
  await client.connect();
  seen.length = 0;
  const calls = ['Bern', 'Chur'].map((city) => client.callTool('weather', { city }));
  assert.deepEqual((await Promise.all(calls)).map(({ content }) => content[0].text), ['Bern', 'Chur']);
  assert.deepEqual(seen.sort(), ['tools/call', 'tools/call', 'tools/call Bern', 'tools/call Chur', 'tools/list']);
  await client.close();
  // A server that goes on refusing is not asked again and again.
  let asked = 0;
  const stubborn = new McpClient(core, {
    ...about,
    fetch: async (request) => {
      if (request.headers.get('mcp-method') !== 'tools/call') return handler.fetch(request);
      asked += 1;
      const { id } = await request.json();
      return Response.json({ jsonrpc: '2.0', id, error: { code: -32020, message: 'no' } }, { status: 400 });
    },
  });
  await assert.rejects(stubborn.callTool('weather', { city: 'Bern' }), { code: 'HEADER_MISMATCH' });
  assert.equal(asked, 2);
  const methods = [];
  stubborn.addEventListener('message', ({ detail: { direction, text } }) => direction === 'out' && methods.push(JSON.parse(text).method));
  await assert.rejects(stubborn.callTool('weather', { city: 'Bern' }), { code: 'HEADER_MISMATCH' });
  assert.deepEqual(methods, ['tools/call', 'tools/list', 'tools/call']);
  await stubborn.close();
});

test('the era of an origin is found out once, and again when it is another', async () => {
  const older = sessions().fetch;
  const url = 'http://era.example/mcp';
  const first = new McpClient(core, { ...about, url, fetch: older });
  const methods = [asked(first)];
  await first.connect();
  assert.deepEqual(methods[0], ['server/discover', 'initialize', 'notifications/initialized']);
  await first.close();
  for (const other of [url, 'http://era.example/other', 'http://era.example:81/mcp']) {
    const client = new McpClient(core, { ...about, url: other, fetch: older });
    const sent = asked(client);
    await client.connect();
    assert.equal(sent[0], other.includes(':81') ? 'server/discover' : 'initialize', other);
    await client.close();
  }
  for (const again of [['initialize', 'server/discover'], ['server/discover']]) {
    const client = new McpClient(core, { ...about, url, fetch: stateless({ legacy: 'reject' }).fetch });
    const sent = asked(client);
    await client.connect();
    assert.equal(client.era, 'stateless');
    assert.deepEqual(sent, again);
    await client.close();
  }
});

test('a server of a session is told of other roots', async () => {
  const { fetch, transports } = sessions();
  const roots = [{ uri: 'file:///one' }];
  const client = new McpClient(core, { ...about, fetch, answers: { 'roots/list': () => ({ roots }) } });
  client.rootsChanged(); // nobody to tell yet
  await client.connect();
  const [[, { server }]] = transports;
  assert.deepEqual(server.server.getClientCapabilities().roots, { listChanged: true });
  const told = deferred();
  server.server.setNotificationHandler('notifications/roots/list_changed', () => told.resolve());
  client.rootsChanged();
  await told.promise;
  await client.close();
  // The SDK's client says it over our transport.
  const sdk = new Client(about, { capabilities: { roots: { listChanged: true } } });
  transports.clear();
  await sdk.connect(new ClientTransport(core, { fetch }));
  const [[, { server: other }]] = transports;
  const again = deferred();
  other.server.setNotificationHandler('notifications/roots/list_changed', () => again.resolve());
  await sdk.sendRootsListChanged();
  await again.promise;
  await sdk.close();
});

/** A server of 2024-11-05. */
async function oldServer(stream) {
  const open = new Map();
  const log = [];
  const node = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    log.push(`${request.method} ${url.pathname}`);
    if (request.method === 'GET' && url.pathname === '/sse') {
      if (stream) return stream(response);
      const transport = new SSEServerTransport('/messages', response);
      open.set(transport.sessionId, transport);
      response.on('close', () => open.delete(transport.sessionId));
      const server = new OldServer({ name: 'sdk', version: '1' });
      server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }, extra) => {
        const { progressToken } = extra._meta ?? {};
        for (const progress of progressToken === undefined ? [] : [1, 2]) {
          await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
        }
        return { content: [{ type: 'text', text: String(a + b) }] };
      });
      server.registerResource('shelf', SHELF, {}, async () => ({ contents: [{ uri: SHELF, text: 'books' }] }));
      server.registerPrompt('greet', {}, async () => ({ messages: [] }));
      return server.connect(transport);
    }
    const transport = open.get(url.searchParams.get('sessionId'));
    if (request.method === 'POST' && transport) return transport.handlePostMessage(request, response);
    response.writeHead(404).end();
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  after(() => {
    node.close();
    node.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${node.address().port}/sse`, open, log };
}

test('a server of 2024-11-05', async () => {
  const { url, open, log } = await oldServer();
  const client = new McpClient(core, { ...about, url });
  // All that waits is asked once it is found.
  await Promise.all([client.connect(), exercise(client, 'handshake'), client.listTools()]);
  assert.deepEqual(log.slice(0, 4), ['POST /sse', 'POST /sse', 'GET /sse', 'POST /messages']);
  assert.equal(open.size, 1);
  assert.equal(client.session, undefined, 'nothing that a later client could go on with');
  const lost = happens(client, 'sessionlost');
  for (const transport of open.values()) await transport.close();
  await lost;
  await exercise(client, 'handshake');
  assert.equal(open.size, 1);
  await client.close();
  await assert.rejects(client.listTools(), { code: 'CANCELLED' });
  // Its stream is let go.
  while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

const EVENTS = { 'content-type': 'text/event-stream' };
for (const [what, stream] of Object.entries({
  'sends its clients elsewhere': (response) =>
    response.writeHead(200, EVENTS).write('event: endpoint\ndata: http://other.example/messages\n\n'),
  'begins with something else': (response) => response.writeHead(200, EVENTS).write('data: {}\n\n'),
  'ends at once': (response) => response.writeHead(200, EVENTS).end(),
  'begins with what is too long': (response) =>
    response.writeHead(200, EVENTS).write(`event: endpoint\ndata: ${'x'.repeat(5 << 20)}`),
  'has no stream': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
})) {
  test(`a server of 2024-11-05 that ${what} is none`, async () => {
    const { url, log } = await oldServer(stream);
    const client = new McpClient(core, { ...about, url });
    const refused = { code: 'UNSUPPORTED_VERSION' };
    await Promise.all([
      assert.rejects(client.connect(), refused),
      assert.rejects(client.listTools(), refused),
    ]);
    assert.deepEqual(log, ['POST /sse', 'POST /sse', 'GET /sse']);
    await client.close();
  });
}

test('a call under way when the stream of a server of 2024-11-05 breaks fails, and is not sent again', async () => {
  let response;
  let refuses = false;
  const posted = [];
  const node = http.createServer(async (request, answer) => {
    if (request.method === 'GET') {
      response = answer;
      return answer.writeHead(200, EVENTS).write('event: endpoint\r\ndata: /messages\r\n\r\n');
    }
    if (request.url !== '/messages') return answer.writeHead(405).end();
    if (refuses) return answer.writeHead(400).end();
    const { id, method } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    posted.push(method);
    answer.writeHead(202).end();
    const result = { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: { name: 'raw', version: '1' } };
    if (method === 'initialize') response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\r\n\r\n`);
    if (method === 'tools/call') response.end();
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  const client = new McpClient(core, { ...about, url: `http://127.0.0.1:${node.address().port}/` });
  await client.connect();
  assert.equal(client.protocolVersion, '2024-11-05');
  await assert.rejects(client.callTool('x'), { code: 'TRANSPORT' });
  assert.deepEqual(posted, ['initialize', 'notifications/initialized', 'tools/call']);
  // So does one whose message is refused.
  await client.connect();
  refuses = true;
  await assert.rejects(client.callTool('y'), { code: 'TRANSPORT' });
  await client.close();
  node.close();
  node.closeAllConnections();
});
