// The official TypeScript SDK, 1.x and 2.x, resumes the stream of an answer, against the server of the
// conformance suite.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';

import { runServer } from './everything.mjs';

const server = runServer(process.argv[2]);
const info = { name: 'sdk-test', version: '1.0' };
const KINDS = [
  { name: 'sdk 1.x', Client: ClientV1, Http: HttpV1, call: (client, params) => client.callTool(params) },
  { name: 'client 2.x', Client: ClientV2, Http: HttpV2, call: (client, params) => client.callTool(params) },
];

for (const { name, Client, Http, call } of KINDS) {
  test(`${name} comes back for an answer`, { timeout: 30_000 }, async () => {
    const gets = [];
    const transport = new Http(server.url, {
      fetch: (target, init) => {
        const last = new Headers(init?.headers).get('last-event-id');
        if ((init?.method ?? 'GET') === 'GET') gets.push(last);
        return fetch(target, init);
      },
    });
    const client = new Client(info);
    await client.connect(transport);
    const result = await call(client, { name: 'test_reconnection', arguments: {} });
    assert.deepEqual(result.content, [{ type: 'text', text: 'Done.' }]);
    // One for the session's own stream, and one that resumed.
    assert.equal(gets.filter((last) => last === null).length, 1);
    assert.equal(gets.filter((last) => last?.includes('.0.i')).length, 1);
    await transport.terminateSession();
    await client.close();
  });
}
