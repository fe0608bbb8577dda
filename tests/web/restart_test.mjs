// restart_test.mjs CORE.wasm MCP_SESSION: a client in JavaScript whose server is killed and comes
// back, empty or with its store.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { test } from 'node:test';
import { deferred, mcp, newCore } from './support.mjs';

const program = path.resolve(process.argv[3]);
const core = await newCore();

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts `mcp-session serve` and resolves when it listens. */
async function serve(port, store) {
  const args = ['serve', '--port', String(port), '--store', store];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(readline.createInterface({ input: child.stdout }), 'line');
  return {
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A client of the server at that port, and the methods of what it sent. */
function connect(port) {
  const sent = [];
  const client = new mcp.McpClient(core, {
    name: 'test',
    version: '1',
    url: `http://127.0.0.1:${port}/mcp`,
    era: 'handshake',
  });
  client.addEventListener('message', ({ detail }) => {
    if (detail.direction === 'out') sent.push(detail.text ? JSON.parse(detail.text).method : detail.via.split(' ')[0]);
  });
  return { client, sent };
}

const count = async (client) => (await client.callTool('count')).structuredContent.count;

/** Kills the server in the middle of a call, and starts it again; how the call ended. */
async function killAmid(client, server, restart) {
  const underWay = deferred();
  const call = client.callTool('slow_count', { to: 100, delay_ms: 50 }, { onProgress: underWay.resolve });
  const ended = call.then((result) => ({ result }), (error) => ({ error }));
  await underWay.promise;
  await server.kill();
  const again = await restart();
  return { again, ended: await ended };
}

test('a server that comes back empty: the call fails, once, and the next one goes on in a new session', async () => {
  const port = await freePort();
  const server = await serve(port, 'memory');
  const { client, sent } = connect(port);
  assert.equal(await count(client), 1);
  assert.equal(await count(client), 2);
  const before = client.sessionId;
  const { again, ended } = await killAmid(client, server, () => serve(port, 'memory'));
  assert.ok(ended.error instanceof mcp.SessionError, JSON.stringify(ended.result));
  assert.ok(['SESSION_NOT_FOUND', 'TRANSPORT', 'GAP'].includes(ended.error.code), ended.error.code);
  assert.equal(sent.filter((method) => method === 'tools/call').length, 3, 'nothing was sent again');
  assert.equal(await count(client), 1);
  assert.notEqual(client.sessionId, before);
  await client.close();
  await again.kill();
});

test('a server whose store was not killed: the session goes on, and nothing is sent again', async () => {
  const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'restart-'));
  const redisPort = await freePort();
  const redis = spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of readline.createInterface({ input: redis.stdout })) {
    if (/Ready to accept connections/.test(line)) break;
  }
  redis.stdout.resume();
  const port = await freePort();
  const store = `redis://127.0.0.1:${redisPort}`;
  const server = await serve(port, store);
  const { client, sent } = connect(port);
  assert.equal(await count(client), 1);
  const before = client.sessionId;
  const { again, ended } = await killAmid(client, server, () => serve(port, store));
  // The node that did it is gone: that is told, and it is not done again.
  assert.ok(ended.error ?? ended.result.isError, JSON.stringify(ended));
  assert.equal(sent.filter((method) => method === 'tools/call').length, 2, 'nothing was sent again');
  assert.equal(await count(client), 2);
  assert.equal(client.sessionId, before);
  assert.equal(sent.filter((method) => method === 'initialize').length, 1);
  await client.close();
  await again.kill();
  redis.kill('SIGKILL');
  await once(redis, 'exit');
  rmSync(folder, { recursive: true, force: true });
});
