// sse_bench.mjs CORE.wasm FILE...: how many events of a 1 MiB stream a page reads in a second, with
// McpClient and with the official client, in turns, in one Chromium. Ends with 1 if ours reads
// fewer. And how long it is from the import to the first answer, of each.
import { buildSync } from 'esbuild';
import path from 'node:path';
import { packageFiles, startBrowser, startSite } from '../../web/site.mjs';

const ROUNDS = 9;
const SIZE = 1 << 20;
const [wasm, ...files] = process.argv.slice(2).map((file) => path.resolve(file));
const served = packageFiles(wasm, files);
const bundle = (contents) =>
  buildSync({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    external: ['/mcp-session/*'],
    format: 'esm',
    minify: true,
    platform: 'browser',
    target: 'es2022',
    write: false,
  }).outputFiles[0].contents;

served.set('/ours.js', bundle(`
  import { load, McpClient } from '/mcp-session/index.js';
  export async function connect(url) {
    const client = new McpClient(await load(), { name: 'bench', version: '1', url, era: 'handshake' });
    await client.connect();
    return (onProgress) => client.callTool('stream', {}, { onProgress });
  }`));
served.set('/official.js', bundle(`
  import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
  export async function connect(url) {
    const client = new Client({ name: 'bench', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url, location.href)));
    return (onprogress) => client.callTool({ name: 'stream', arguments: {} }, { onprogress });
  }`));
served.set('/bench.js', `
  globalThis.connecting = async (name) => {
    const start = performance.now();
    const { connect } = await import('/' + name + '.js');
    globalThis[name] = await connect('/mcp');
    return performance.now() - start;
  };
  globalThis.reading = async (name) => {
    let events = 0;
    const start = performance.now();
    await globalThis[name](() => { ++events; });
    return { events, time: performance.now() - start };
  };
  globalThis.ready = true;`);
served.set('/index.html', '<!doctype html><title>bench</title><script type="module" src="/bench.js"></script>');
served.set('/favicon.ico', '');

/** A server that answers a call with as many notifications as fit into 1 MiB. */
served.set('/mcp', async (incoming, outgoing) => {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  if (incoming.method !== 'POST') return outgoing.writeHead(405).end();
  const { id, method, params } = JSON.parse(text);
  if (id === undefined) return outgoing.writeHead(202).end();
  const json = (result) => {
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
  if (method === 'initialize') {
    return json({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'bench', version: '1' },
    });
  }
  if (method !== 'tools/call') return json({});
  const { progressToken } = params._meta;
  const events = [];
  for (let size = 0, progress = 1; size < SIZE; ++progress) {
    const message = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress, message: 'so far, so good' } };
    const event = `event: message\ndata: ${JSON.stringify(message)}\n\n`;
    events.push(event);
    size += event.length;
  }
  const result = { content: [{ type: 'text', text: String(events.length) }] };
  events.push(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
  outgoing.end(events.join(''));
});

const site = await startSite(served);
const browser = await startBrowser();
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
try {
  const names = ['ours', 'official'];
  const first = { ours: [], official: [] };
  for (let round = 0; round < 5; ++round) {
    for (const name of names) {
      const page = await browser.open(`${site.origin}/index.html`);
      await page.waitForFunction(() => globalThis.ready);
      first[name].push(await page.evaluate((name) => globalThis.connecting(name), name));
      await page.close();
    }
  }
  const page = await browser.open(`${site.origin}/index.html`);
  await page.waitForFunction(() => globalThis.ready);
  for (const name of names) await page.evaluate((name) => globalThis.connecting(name), name);
  const rates = { ours: [], official: [] };
  for (let round = 0; round < ROUNDS + 1; ++round) {
    for (const name of names) {
      const { events, time } = await page.evaluate((name) => globalThis.reading(name), name);
      if (events < 1000) throw new Error(`${name} saw ${events} events`);
      if (round > 0) rates[name].push((events / time) * 1000); // the first one warms up
    }
  }
  for (const name of names) {
    console.log(`${name}: ${Math.round(median(rates[name]))} events a second, ` +
      `first answer ${median(first[name]).toFixed(0)} ms after the import`);
  }
  const ratio = median(rates.ours) / median(rates.official);
  console.log(`ours reads ${ratio.toFixed(2)} times the events (goal: 1)`);
  process.exitCode = ratio >= 1 ? 0 : 1;
} finally {
  await browser.stop();
  site.stop();
}
