// A site that serves the package, and pages under a strict Content-Security-Policy; and a browser
// for them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};
// As strict as it goes: no eval; compiling wasm is named.
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:*";

/**
 * `files`: what is served, by path; text, bytes or a function of the request and the response.
 * @param {Map<string, any>} files
 */
export async function startSite(files) {
  const server = http.createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, 'http://host');
    const file = files.get(pathname);
    if (file === undefined) return outgoing.writeHead(404).end();
    if (typeof file === 'function') return file(incoming, outgoing);
    outgoing.writeHead(200, {
      'content-security-policy': CSP,
      'content-type': TYPES[path.extname(pathname)] ?? 'application/octet-stream',
    });
    outgoing.end(file);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The package as a page loads it, under /mcp-session/. */
export function packageFiles(wasm, files) {
  const served = new Map([['/mcp-session/core.wasm', readFileSync(wasm)]]);
  for (const file of files) {
    const [, name] = file.match(/(?:^|\/)web\/((?:src\/)?[^/]+)$/);
    served.set(`/mcp-session/${name}`, readFileSync(file));
  }
  return served;
}

/** Lets something that takes a Request and gives a Response answer for a path of a site. */
export const answering = (fetch) => async (incoming, outgoing) => {
  const controller = new AbortController();
  outgoing.on('close', () => controller.abort());
  const hasBody = incoming.method === 'POST';
  try {
    const response = await fetch(new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
      signal: controller.signal,
      ...(hasBody ? { body: incoming, duplex: 'half' } : {}),
    }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    for await (const chunk of response.body ?? []) outgoing.write(chunk);
  } catch (error) {
    if (error.code !== 'CANCELLED') console.error(error);
  }
  outgoing.end();
};

/** A browser with nothing in it; `complaints` are what its pages said on their consoles. */
export async function startBrowser() {
  const home = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'chromium-'));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic',
      '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync',
    ],
    env: { ...process.env, HOME: home },
  });
  const context = await browser.newContext();
  const complaints = [];
  return {
    complaints,
    context,
    async open(url) {
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(url);
      return page;
    },
    async stop() {
      await browser.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
