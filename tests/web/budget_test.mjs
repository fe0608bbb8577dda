// budget_test.mjs CORE.wasm FILE.js...
//
// What a page downloads: server, client and store in one. The official client alone is 87.7 kB (2.4,
// bundled and minified). Raise the budget only in a change that says why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

const [wasm, ...scripts] = process.argv.slice(2);
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

test('core.wasm and all JavaScript of the package: 85 kB by gzip -9', () => {
  assert.ok(scripts.length >= 7);
  const core = readFileSync(wasm);
  const text = Buffer.concat(scripts.map((path) => readFileSync(path)));
  const sizes = [gzipped(core), gzipped(text)];
  console.log(`core.wasm: ${core.length} bytes, ${sizes[0]} by gzip -9`);
  console.log(`${scripts.length} scripts: ${text.length} bytes, ${sizes[1]} by gzip -9`);
  assert.ok(sizes[0] + sizes[1] <= 85_000, `${sizes[0] + sizes[1]} bytes`);
});
