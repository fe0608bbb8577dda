// browser_test.mjs CORE_WASM TRANSCRIPT...: plays them in headless Chromium, under a policy as strict
// as it goes. Serves the page, opens it, and waits for it to tell how they went.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};
// What the page imports, found as this script is: Node resolves the links by which Bazel hands it over.
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const SERVED = /^\/(web\/(src\/)?[a-z_.]+\.js|tests\/transcripts\/[a-z_]+\.(mjs|html))$/;

const [core, ...transcripts] = process.argv.slice(2);

/** What stands at a path of the site: bytes, or undefined. @param {string} name */
async function find(name) {
  if (name === '/core.wasm') return readFile(core);
  if (name === '/transcripts.json') return JSON.stringify(transcripts);
  if (transcripts.includes(name.slice(1))) return readFile(name.slice(1));
  return SERVED.test(name) ? readFile(path.join(root, name)) : undefined;
}

/** Serves the site until it is told how the transcripts went. */
async function serve() {
  /** @type {(told: { failures: string[], played: number }) => void} */
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  const server = http.createServer(async (request, response) => {
    const name = new URL(request.url ?? '/', 'http://host').pathname;
    if (request.method === 'POST' && name === '/result') {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end();
      return tell(JSON.parse(body));
    }
    const bytes = await find(name).catch(() => undefined);
    if (bytes === undefined) return response.writeHead(404).end();
    const type = TYPES[/** @type {keyof TYPES} */ (path.extname(name))] ?? 'application/json';
    return response
      .writeHead(200, { 'content-security-policy': POLICY, 'content-type': type })
      .end(bytes);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { told, close, url: `http://127.0.0.1:${port}/tests/transcripts/browser_page.html` };
}

/** Opens a page in a browser with nothing in it. @param {string} url */
async function open(url) {
  const profile = await mkdtemp(path.join(process.env.TEST_TMPDIR ?? os.tmpdir(), 'chromium-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--enable-logging=stderr',
    `--user-data-dir=${profile}`];
  const child = spawn(CHROMIUM, [...flags, url], {
    env: { ...process.env, HOME: profile },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  const gone = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  const died = gone.then((why) => {
    throw new Error(`the browser ended with ${why}\n${log}`);
  });
  died.catch(() => {});
  const close = async () => {
    child.kill();
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    return log.split('\n').filter((line) => line.includes(':CONSOLE'));
  };
  return { died, close };
}

test('the transcripts play in a page', { timeout: 100_000 }, async () => {
  const site = await serve();
  const browser = await open(site.url);
  try {
    const told = await Promise.race([site.told, browser.died]);
    assert.deepEqual(told, { failures: [], played: transcripts.length });
  } finally {
    const complaints = await browser.close();
    site.close();
    if (complaints.length > 0) console.log(complaints.join('\n'));
  }
  assert.ok(transcripts.length > 0);
});
