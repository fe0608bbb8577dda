// offline_test.mjs CORE.wasm MCP_SESSION: a page that loses its network in the middle of a call, and
// goes on with the stream when it is back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { after, test } from 'node:test';
import { startNetwork } from './network.mjs';
import { startBrowser } from './site.mjs';

const STEPS = 60;
const program = path.resolve(process.argv[3]);
const server = spawn(program, ['serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = await once(readline.createInterface({ input: server.stdout }), 'line');
const [, port] = /http:\/\/[\d.]+:(\d+)/.exec(line);

const network = await startNetwork(port);
const browser = await startBrowser();
after(async () => {
  await browser.stop();
  network.stop();
  server.kill('SIGTERM');
  await once(server, 'exit');
});

test('a stream goes on where the network was lost: each event once, in order', { timeout: 90_000 }, async () => {
  const page = await browser.open(network.url);
  const resumed = [];
  page.on('request', (request) => {
    const id = request.headers()['last-event-id'];
    if (id) resumed.push(id);
  });
  const failed = page.waitForEvent('requestfailed');
  await page.evaluate(async (to) => {
    const { load, McpClient } = await import('/mcp-session/index.js');
    const client = new McpClient(await load(), { name: 'page', version: '1', url: '/mcp', era: 'handshake' });
    globalThis.seen = [];
    globalThis.call = client
      .callTool('slow_count', { to, delay_ms: 100 }, { onProgress: ({ progress }) => globalThis.seen.push(progress) })
      .then(({ structuredContent }) => structuredContent.counted_to, (error) => error.code);
  }, STEPS);
  await page.waitForFunction(() => globalThis.seen.length >= 3);
  await browser.context.setOffline(true);
  network.cut();
  await failed;
  const before = await page.evaluate(() => globalThis.seen.length);
  assert.ok(before < STEPS);
  await browser.context.setOffline(false);
  assert.equal(await page.evaluate(() => globalThis.call), STEPS);
  assert.deepEqual(
    await page.evaluate(() => globalThis.seen),
    Array.from({ length: STEPS }, (_, i) => i + 1),
  );
  assert.ok(resumed.length > 0, 'it was asked for by the id of an event');
  await page.close();
});
