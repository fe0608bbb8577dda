// bundle_test.mjs mcp-session.tgz: the package after esbuild and Vite, in Chromium under a strict
// CSP; and there the official SDK's clients over our transport.
import { build as esbuild } from 'esbuild';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build as vite } from 'vite';
import { answering, startBrowser, startSite } from './site.mjs';

const tgz = path.resolve(process.argv[2]);
const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'bundle-'));
const installed = path.join(folder, 'node_modules/mcp-session');
mkdirSync(installed, { recursive: true });
execFileSync('tar', ['-xzf', tgz, '-C', installed, '--strip-components=1']);
symlinkSync(
  path.resolve(import.meta.dirname, '../node_modules/@modelcontextprotocol'),
  path.join(folder, 'node_modules/@modelcontextprotocol'),
);
writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
writeFileSync(path.join(folder, 'index.html'),
  '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="/main.js"></script>');

// What a page does with the package. `load` is told where the core is, or not.
const program = (load) => `
  import { McpClient, ClientTransport, load } from 'mcp-session';
  import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
  import { Client as Client2 } from '@modelcontextprotocol/client';
  ${load}
  const about = { name: 'page', version: '1' };
  async function exercise(client) {
    const { tools } = await client.listTools();
    const steps = [];
    const options = { onprogress: ({ progress }) => steps.push(progress) };
    const call = { name: 'steps', arguments: {} };
    const { content } = client instanceof Client1
      ? await client.callTool(call, undefined, options)
      : await client.callTool(call, options);
    const failed = await client.callTool({ name: 'nobody' }).then(() => 'no', (error) => error.code);
    await client.close();
    return [tools.length, steps, content[0].text, failed];
  }
  async function main() {
    const core = await start();
    const ours = new McpClient(core, { ...about, url: '/mcp' });
    const found = [(await ours.listTools()).length];
    await ours.close();
    for (const era of ['stateless', 'handshake']) {
      for (const client of [
        new Client1(about),
        new Client2(about),
        new Client2(about, { versionNegotiation: { mode: 'auto' } }),
      ]) {
        await client.connect(new ClientTransport(core, { url: '/mcp', era }));
        found.push(await exercise(client));
      }
    }
    return found;
  }
  main().then((found) => { globalThis.found = found; }, (error) => { globalThis.found = String(error.stack); });
`;

const { SessionServer, load } = await import(pathToFileURL(path.join(installed, 'index.node.js')));
const server = new SessionServer(await load(), { name: 'test', version: '1' });
server.tool({ name: 'steps' }, async (_, call) => {
  for (const step of [1, 2, 3]) {
    call.progress(step, { total: 3 });
    await null;
  }
  return 'done';
});
const browser = await startBrowser();
after(async () => {
  await browser.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** All files below a folder, as a site serves them. */
function built(root) {
  const files = new Map();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(`/${path.relative(root, file)}`, readFileSync(file));
  }
  return files;
}

async function runs(files) {
  files.set('/mcp', answering((request) => server.fetch(request)));
  files.set('/favicon.ico', '');
  const site = await startSite(files);
  const page = await browser.open(`${site.origin}/index.html`);
  await page.waitForFunction(() => globalThis.found !== undefined);
  const found = await page.evaluate(() => globalThis.found);
  const one = [1, [1, 2, 3], 'done', -32602];
  assert.deepEqual(found, [1, one, one, one, one, one, one]);
  await page.close();
  site.stop();
}

test('bundled by esbuild, the core beside it', { timeout: 120_000 }, async () => {
  writeFileSync(path.join(folder, 'main.js'), program(`
    import core from 'mcp-session/core.wasm';
    const start = () => load({ url: new URL(core, import.meta.url) });
  `));
  const outdir = path.join(folder, 'esbuild');
  await esbuild({
    absWorkingDir: folder,
    bundle: true,
    entryPoints: ['main.js'],
    format: 'esm',
    loader: { '.wasm': 'file' },
    logLevel: 'error',
    minify: true,
    outdir,
    platform: 'browser',
    target: 'es2022',
  });
  const files = built(outdir);
  files.set('/index.html', readFileSync(path.join(folder, 'index.html')));
  await runs(files);
});

test('built by Vite, which finds the core itself', { timeout: 120_000 }, async () => {
  writeFileSync(path.join(folder, 'main.js'), program('const start = () => load();'));
  const outDir = path.join(folder, 'vite');
  await vite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { outDir, modulePreload: false },
  });
  await runs(built(outDir));
});

test('nobody complained', () => {
  // Calls of a tool that is not there are answered with a status of their own.
  const expected = /the server responded with a status of 4\d\d/;
  assert.deepEqual(browser.complaints.filter((text) => !expected.test(text)), []);
});
