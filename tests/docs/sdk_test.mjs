// sdk_test.mjs MCP_SESSION PACKAGE: the scripts of README.md and docs/javascript.md for users of the
// official SDK.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { root } from './markdown.mjs';
import { start } from './program.mjs';
import { makeFolder, run } from './scripts.mjs';

const folder = makeFolder();
const installed = path.join(folder, 'node_modules/mcp-session');
mkdirSync(installed);
execFileSync('tar', ['-xzf', path.resolve(process.argv[3]), '-C', installed, '--strip-components=1']);
symlinkSync(
  path.join(root, 'tests/node_modules/@modelcontextprotocol'),
  path.join(folder, 'node_modules/@modelcontextprotocol'),
);

test('a client of the official SDK runs over the core', async () => {
  const server = await start(path.resolve(process.argv[2]), ['serve', '--port', '0']);
  assert.deepEqual(await run(folder, 'sdk_over_core.js', server.origin), [true]);
  assert.equal(await server.stop(), 0);
});

test('a client of the official SDK counts in its session', async () => {
  const server = await start(path.resolve(process.argv[2]), ['serve', '--port', '0']);
  assert.deepEqual(await run(folder, 'sdk_client.js', server.origin), [{ count: 1 }, { count: 2 }]);
  assert.equal(await server.stop(), 0);
});
