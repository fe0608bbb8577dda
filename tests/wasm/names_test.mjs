// names_test.mjs ABI.h EXPORTS.txt abi.js
//
// The ABI is written down three times: for C, for the linker and for JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const [header, exportsList, script] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));

test('exports.txt lists what abi.h declares', () => {
  const declared = header.match(/(?<=^[a-z].*)\bmcps_\w+(?=\()/gm);
  const listed = exportsList.replace(/#.*/g, '').split(/\s+/).filter(Boolean);
  assert.deepEqual(listed.sort(), declared.filter((name) => name !== 'mcps_entropy').sort());
});

test('abi.js knows the frames of abi.h', () => {
  const numbers = (text, pattern) =>
    Object.fromEntries([...text.matchAll(pattern)].map(([, name, number]) => [name, Number(number)]));
  assert.deepEqual(
    numbers(script, /^export const ([A-Z_]+) = (\d+);/gm),
    numbers(header, /^ +MCPS_([A-Z_]+) = (\d+),/gm),
  );
  assert.equal(script.match(/ABI_VERSION = (\d+);/)[1], header.match(/ABI_VERSION (\d+)u/)[1]);
});
