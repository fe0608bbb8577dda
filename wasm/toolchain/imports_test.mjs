// imports_test.mjs MODULE.wasm EXPORTS.txt IMPORTS.txt
//
// A module's exports and imports are its interface: they are exactly the listed ones.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const [moduleFile, exportsFile, importsFile] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(moduleFile));
const names = (file) => readFileSync(file, 'utf8').split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '');

test('the module exports what is listed, memory and _initialize', () => {
  const listed = new Set([...names(exportsFile), 'memory', '_initialize']);
  const found = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(found.sort(), [...listed].sort());
});

test('the module imports what is listed', () => {
  const found = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
  assert.deepEqual(found.sort(), names(importsFile).sort());
});
