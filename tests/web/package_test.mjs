// package_test.mjs mcp-session.tgz: the package as npm installs it, without a network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

const tgz = path.resolve(process.argv[2]);
const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'package-'));
after(() => rmSync(folder, { recursive: true }));
const run = (program, ...args) => execFileSync(program, args, {
  cwd: folder,
  encoding: 'utf8',
  env: { ...process.env, HOME: folder, npm_config_cache: path.join(folder, 'cache') },
});

test('holds what it should, as everybody may read it', () => {
  const lines = run('tar', '--list', '--verbose', '--gzip', '--file', tgz).trim().split('\n');
  const files = lines.filter((line) => line.startsWith('-')).map((line) => line.split(/\s+/));
  assert.deepEqual(files.map((line) => line.at(-1)), [
    'LICENSE',
    'README.md',
    'core.wasm',
    'index.d.ts',
    'index.js',
    'index.node.js',
    'package.json',
    'src/abi.js',
    'src/catalog.js',
    'src/changes.js',
    'src/client.js',
    'src/era_memory.js',
    'src/errors.js',
    'src/event_store.js',
    'src/exchanges.js',
    'src/old_server.js',
    'src/open_client.js',
    'src/persist.js',
    'src/port.js',
    'src/questions.js',
    'src/result_cache.js',
    'src/server.js',
    'src/store.js',
    'src/tool_headers.js',
    'src/transport.js',
    'src/types.d.ts',
    'src/wait.js',
  ].map((file) => `package/${file}`));
  for (const [mode, owner, , day] of files) {
    assert.deepEqual([mode, owner, day], ['-rw-r--r--', '0/0', '1985-10-26']);
  }
});

test('installs offline and works', () => {
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', tgz);
  const { dependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  assert.deepEqual(Object.keys(dependencies), ['mcp-session']);
  writeFileSync(path.join(folder, 'use.js'), `
    import { load, McpClient, SessionServer } from 'mcp-session';
    const core = await load();
    const server = new SessionServer(core, { name: 'installed', version: '1' });
    server.tool({ name: 'add' }, ({ a, b }) => ({ sum: a + b }));
    const client = new McpClient(core, {
      name: 'user',
      version: '1',
      fetch: (request) => server.fetch(request),
    });
    const { structuredContent } = await client.callTool('add', { a: 1, b: 2 });
    await client.close();
    console.log(client.serverInfo, structuredContent.sum, import.meta.resolve?.('mcp-session/core.wasm'));
  `);
  assert.match(run(process.execPath, 'use.js'), /^undefined 3 file:.*core\.wasm\n$/);
});

test('bundlers and pages find the entry without Node modules', () => {
  const root = path.join(folder, 'node_modules/mcp-session');
  const { exports, types } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  assert.equal(exports['.'].default, './index.js');
  assert.equal(exports['.'].node, './index.node.js');
  assert.equal(types, './index.d.ts');
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const [, from] of text.matchAll(/^(?:import|export) .*? from '(.*?)';$/gm)) {
      assert.match(from, /^\.\.?\//, `${file} imports ${from}`);
      visit(path.join(path.dirname(file), from));
    }
  };
  visit('index.js');
  assert.ok(seen.size >= 6);
});
