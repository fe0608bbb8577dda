// browser_test.mjs CORE.wasm FILE...: the package in Chromium, under a strict CSP.
//
// Serves the package and tests/web/browser, opens the page there in headless Chromium and waits
// for it to post what it found. Needs no driver, only the browser.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { mcp, newCore } from './support.mjs';

const [wasm, ...given] = process.argv.slice(2).map((file) => path.resolve(file));
const { addTools } = await import('./browser/tools.mjs');
const files = new Map([['/mcp-session/core.wasm', wasm]]);
for (const file of given) {
  const [, folder, name] = file.match(/^.*\/(web|browser)\/((?:src\/)?[^/]+)$/);
  files.set(folder === 'web' ? `/mcp-session/${name}` : `/${name}`, file);
}
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};
// As strict as it goes: no eval; compiling wasm is named.
const csp = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
  "connect-src 'self' http://127.0.0.1:*";

const core = await newCore();
const makeServer = (options) =>
  addTools(new mcp.SessionServer(core, { name: 'node', version: '1.0', ...options }));
const current = makeServer();
const old = makeServer({ hosts: { origins: ['*'] } });

/** Lets a SessionServer answer a request of Node's HTTP server. */
async function answer(server, incoming, outgoing, headers = {}) {
  const controller = new AbortController();
  outgoing.on('close', () => controller.abort());
  const url = `http://${incoming.headers.host}${incoming.url}`;
  const hasBody = incoming.method === 'POST';
  try {
    const response = await server.fetch(new Request(url, {
      method: incoming.method,
      headers: incoming.headers,
      signal: controller.signal,
      ...(hasBody ? { body: incoming, duplex: 'half' } : {}),
    }));
    outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...headers });
    for await (const chunk of response.body ?? []) outgoing.write(chunk);
  } catch (error) {
    if (error.code !== 'CANCELLED') console.error(error);
  }
  outgoing.end();
}

// A server from before the stateless era, as to its CORS answers.
const oldServer = http.createServer((incoming, outgoing) => {
  const cors = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'POST, DELETE',
    'access-control-allow-headers': 'content-type, accept, mcp-session-id, mcp-protocol-version',
    'access-control-expose-headers': 'mcp-session-id',
  };
  if (incoming.method === 'OPTIONS') return outgoing.writeHead(204, cors).end();
  return answer(old, incoming, outgoing, cors);
});

let posted;
const result = new Promise((resolve) => { posted = resolve; });
const site = http.createServer(async (incoming, outgoing) => {
  const { pathname } = new URL(incoming.url, 'http://host');
  if (pathname === '/mcp') return answer(current, incoming, outgoing);
  if (pathname === '/old-server') {
    return outgoing.end(JSON.stringify({ url: `http://127.0.0.1:${oldServer.address().port}/mcp` }));
  }
  if (pathname === '/result') {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    outgoing.end();
    return posted(JSON.parse(body));
  }
  if (!files.has(pathname)) return outgoing.writeHead(404).end();
  outgoing.writeHead(200, {
    'content-security-policy': csp,
    'content-type': types[path.extname(pathname)] ?? 'application/octet-stream',
  });
  outgoing.end(await readFile(files.get(pathname)));
});
const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

test('the package works in Chromium', { timeout: 120_000 }, async () => {
  await Promise.all([listen(site), listen(oldServer)]);
  const profile = await mkdtemp(path.join(process.env.TEST_TMPDIR ?? os.tmpdir(), 'chromium-'));
  const child = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--enable-logging=stderr', `--user-data-dir=${profile}`,
    `http://127.0.0.1:${site.address().port}/page.html`,
  ], { env: { ...process.env, HOME: profile }, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => { log += chunk; });
  const gone = new Promise((resolve) => child.on('close', resolve));
  const died = new Promise((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the browser exited with ${code}`)));
  });
  const late = new Promise((_, reject) =>
    setTimeout(reject, 100_000, new Error('the page did not answer')).unref());
  try {
    const { agent, failures, passed } = await Promise.race([result, died, late]);
    console.log(agent, passed);
    assert.deepEqual(failures, []);
    assert.ok(passed.length >= 10);
  } finally {
    console.log(log.split('\n').filter((line) => line.includes(':CONSOLE')).slice(-20).join('\n'));
    died.catch(() => {});
    if (child.exitCode === null && child.kill()) await gone;
    for (const server of [site, oldServer]) {
      server.close();
      server.closeAllConnections();
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
