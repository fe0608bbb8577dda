// cors_browser_test.mjs PROGRAM PAGE.html PAGE.mjs: a page in Chromium talks to `mcp-session serve`,
// which is of another origin. An origin that is not allowed sees nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';

const [program, html, script] = process.argv.slice(2).map((file) => path.resolve(file));
const folder = await mkdtemp(path.join(process.env.TEST_TMPDIR ?? os.tmpdir(), 'cors-'));
const token = 'a-token-for-the-page';

/** Starts the program; where it listens, and how to end it. */
async function serve(args) {
  const child = spawn(program, ['serve', '--port', '0', '--store', 'memory', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(readline.createInterface({ input: child.stdout }), 'line');
  const end = async () => {
    child.kill();
    await once(child, 'exit');
  };
  return { url: line.replace('mcp-session listening on ', ''), end };
}

/** Serves the page, and waits for what it saw. The origin is http://ORIGIN_HOST:PORT. */
async function site(originHost) {
  let tell;
  const told = new Promise((resolve) => { tell = resolve; });
  const where = {};
  const server = http.createServer(async (request, response) => {
    if (request.url === '/result') {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end();
      return tell(JSON.parse(body));
    }
    if (request.url === '/where.json') return response.end(JSON.stringify({ ...where, token }));
    const file = { '/page.html': html, '/page.mjs': script }[request.url];
    if (!file) return response.writeHead(404).end();
    const type = file === html ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8';
    response.writeHead(200, { 'content-type': type }).end(await readFile(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://${originHost}:${server.address().port}`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, where, told, close };
}

async function browse(url, told) {
  const profile = await mkdtemp(path.join(folder, 'chromium-'));
  const child = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--host-resolver-rules=MAP *.example 127.0.0.1',
    `--user-data-dir=${profile}`, url,
  ], { env: { ...process.env, HOME: profile }, stdio: 'ignore' });
  const gone = once(child, 'exit');
  try {
    return await Promise.race([
      told,
      gone.then(([code]) => { throw new Error(`the browser ended with ${code}`); }),
    ]);
  } finally {
    child.kill();
    await gone;
  }
}

test('a page of an allowed origin reads all it needs', { timeout: 100_000 }, async () => {
  const page = await site('app.example');
  await writeFile(path.join(folder, 'tokens'), `alice ${token}\n`);
  const server = await serve([
    '--tokens', path.join(folder, 'tokens'), '--allow-origin', page.origin,
    '--authorization-server', 'https://issuer.example', '--resource', 'https://mcp.example/mcp',
  ]);
  page.where.url = server.url;
  try {
    assert.deepEqual(await browse(`${page.origin}/page.html`, page.told), {
      refused: [401, 'Bearer resource_metadata=' +
        '"https://mcp.example/.well-known/oauth-protected-resource/mcp"'],
      session: true,
      pong: { jsonrpc: '2.0', id: 2, result: {} },
      stream: ['text/event-stream', true],
      ended: true,
      unknown: 404,
    });
  } finally {
    await server.end();
    page.close();
  }
});

test('a page of another origin reads nothing', { timeout: 100_000 }, async () => {
  const page = await site('evil.example');
  const server = await serve(['--allow-origin', 'http://app.example']);
  page.where.url = server.url;
  try {
    assert.deepEqual(await browse(`${page.origin}/page.html`, page.told),
      { error: 'TypeError: Failed to fetch' });
  } finally {
    await server.end();
    page.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
