// sdk_test.mjs MCP_SESSION: the script of README.md for users of the official SDK.
import assert from 'node:assert/strict';
import { rmdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { root } from './markdown.mjs';
import { start } from './program.mjs';
import { makeFolder, run } from './scripts.mjs';

const folder = makeFolder();
rmdirSync(path.join(folder, 'node_modules'));
symlinkSync(path.join(root, 'tests/node_modules'), path.join(folder, 'node_modules'));

test('a client of the official SDK counts in its session', async () => {
  const server = await start(path.resolve(process.argv[2]), ['serve', '--port', '0']);
  assert.deepEqual(await run(folder, 'sdk_client.js', server.origin), [{ count: 1 }, { count: 2 }]);
  assert.equal(await server.stop(), 0);
});
