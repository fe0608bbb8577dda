// budget_test.mjs CORE.wasm FILE.js...
//
// What a page downloads. Raise a budget only in a change that says why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gzipSync } from 'node:zlib';

const [wasm, ...scripts] = process.argv.slice(2);
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

test('core.wasm: 64 KiB by gzip -9', () => {
  const bytes = readFileSync(wasm);
  const size = gzipped(bytes);
  console.log(`core.wasm: ${bytes.length} bytes, ${size} by gzip -9`);
  assert.ok(size <= 64 * 1024, `${size} bytes`);
});

test('all JavaScript of the package: 10 KiB by gzip -9', () => {
  assert.ok(scripts.length >= 7);
  const bytes = Buffer.concat(scripts.map((path) => readFileSync(path)));
  const size = gzipped(bytes);
  console.log(`${scripts.length} scripts: ${bytes.length} bytes, ${size} by gzip -9`);
  assert.ok(size <= 10 * 1024, `${size} bytes`);
});
