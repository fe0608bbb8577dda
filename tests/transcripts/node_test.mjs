// node_test.mjs CORE_WASM TRANSCRIPT...: plays them in Node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { playTranscript } from './runner.mjs';

const [core, ...files] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(core));

assert.ok(files.length > 0);
for (const file of files) {
  test(path.basename(file, '.txt'), async () => {
    assert.equal(await playTranscript(module, readFileSync(file, 'utf8')), undefined);
  });
}
