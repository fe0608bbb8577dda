// The official TypeScript SDK: 1.x, and 2.x in both eras, over HTTP and over stdio. Each lists,
// calls with progress, keeps a basket over several calls, ends its session and then meets 404.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';

import { startServer } from './server.mjs';

const program = path.resolve(process.argv[2]);
const info = { name: 'sdk-test', version: '1.0' };

const KINDS = [
  {
    name: 'sdk 1.x', era: 'handshake', revision: '2025-11-25', Http: HttpV1, Stdio: StdioV1,
    client: () => new ClientV1(info),
    // 1.x takes a result schema in between.
    call: (client, params, options) => client.callTool(params, undefined, options),
  },
  {
    name: 'client 2.x, handshake', era: 'handshake', revision: '2025-11-25', Http: HttpV2,
    Stdio: StdioV2, client: () => new ClientV2(info),
    call: (client, params, options) => client.callTool(params, options),
  },
  {
    name: 'client 2.x, probing', era: 'stateless', revision: '2026-07-28', Http: HttpV2,
    Stdio: StdioV2, client: () => new ClientV2(info, { versionNegotiation: { mode: 'auto' } }),
    call: (client, params, options) => client.callTool(params, options),
  },
  {
    name: 'client 2.x, stateless', era: 'stateless', revision: '2026-07-28', Http: HttpV2,
    Stdio: StdioV2,
    client: () => new ClientV2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
    call: (client, params, options) => client.callTool(params, options),
  },
];

// What every client does, whatever carries it.
async function useEverything(kind, client, carrier) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), [
    'create_basket', 'add_item', 'get_basket', 'list_baskets', 'end_basket', 'count', 'slow_count',
    'set_price',
  ]);
  const call = (name, args, options) => kind.call(client, { name, arguments: args }, options);

  // Progress, in order, before the answer. On a pipe the SDK forgets the progress that it reads
  // in one piece with the answer, so there the last ones may be missing.
  const seen = [];
  const counted = await call('slow_count', { to: 4, delay_ms: carrier === 'http' ? 5 : 100 }, {
    onprogress: ({ progress, total }) => { seen.push([progress, total]); },
  });
  const all = [[1, 4], [2, 4], [3, 4], [4, 4]];
  assert.deepEqual(seen, carrier === 'http' ? all : all.slice(0, Math.max(1, seen.length)));
  assert.ok(!counted.isError);

  // A basket over calls.
  const { basket } = (await call('create_basket', {})).structuredContent;
  assert.match(basket, /^basket_[A-Za-z0-9_-]{22}$/);
  await call('add_item', { basket, item: 'apple', quantity: 2 });
  await call('add_item', { basket, item: 'pear' });
  const got = (await call('get_basket', { basket })).structuredContent;
  assert.deepEqual(got, {
    basket,
    items: [{ item: 'apple', quantity: 2 }, { item: 'pear', quantity: 1 }],
    total: 3,
  });
  const list = await call('list_baskets', {});
  if (kind.era === 'handshake') {
    assert.deepEqual(list.structuredContent.baskets.map((one) => one.basket), [basket]);
  } else {
    assert.equal(list.isError, true);  // nobody owns what an anonymous caller makes (S-23)
  }
  await call('end_basket', { basket });
  const gone = await call('get_basket', { basket });
  assert.equal(gone.isError, true);
  assert.match(gone.content[0].text, /create_basket/);

  // State of the session itself.
  if (kind.era === 'handshake') {
    assert.deepEqual((await call('count', {})).structuredContent, { count: 1 });
    assert.deepEqual((await call('count', { by: 4 })).structuredContent, { count: 5 });
  } else {
    assert.equal((await call('count', {})).isError, true);
  }

  await assert.rejects(call('no_such_tool', {}), (error) => error.code === -32602);
  return basket;
}

for (const threads of [1, 2]) describe(`over HTTP, ${threads} threads`, () => {
  let server;
  before(async () => { server = await startServer(program, ['--threads', String(threads)]); });
  after(async () => { assert.equal(await server.stop(), 0); });

  for (const kind of KINDS) {
    test(kind.name, async () => {
      const transport = new kind.Http(server.url);
      const client = kind.client();
      await client.connect(transport);
      await useEverything(kind, client, 'http');
      if (kind.era === 'stateless') {
        assert.equal(transport.sessionId, undefined);
        await client.close();
        return;
      }
      const session = transport.sessionId;
      assert.match(session, /^[A-Za-z0-9_-]{43}$/);
      await transport.terminateSession();  // H-31

      // H-29: the id is unknown from now on, to anybody.
      const late = new kind.Http(server.url, { sessionId: session, protocolVersion: kind.revision });
      await late.start();
      late.onmessage = () => {};
      await assert.rejects(
        late.send({ jsonrpc: '2.0', id: 99, method: 'tools/list' }),
        (error) => /404|unknown session/i.test(`${error.code} ${error.message} ${error.status}`));
      await late.close();
      const raw = await fetch(server.url, {
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'mcp-session-id': session,
          'mcp-protocol-version': kind.revision,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
      assert.equal(raw.status, 404);
      await raw.text();
      await client.close();
    });
  }

  test('a client that aborts a call cancels it, and the session goes on', async () => {
    for (const kind of KINDS) {
      const client = kind.client();
      await client.connect(new kind.Http(server.url));
      const abort = new AbortController();
      const call = kind.call(client, { name: 'slow_count', arguments: { to: 100, delay_ms: 100 } }, {
        signal: abort.signal,
        onprogress: () => abort.abort(new Error('enough')),
      });
      await assert.rejects(call, /enough|abort/i, kind.name);
      assert.equal((await client.listTools()).tools.length, 8, kind.name);
      await client.close();
    }
  });

  test('no session id reaches the log', () => {
    assert.doesNotMatch(server.log(), /[A-Za-z0-9_-]{20,}/);
  });
});

describe('over stdio', () => {
  for (const kind of KINDS) {
    test(kind.name, async () => {
      const client = kind.client();
      await client.connect(new kind.Stdio({
        command: program, args: ['serve', '--stdio'], stderr: 'ignore',
      }));
      await useEverything(kind, client, 'stdio');
      await client.close();
    });
  }
});
