// docs/protocol-support.md has each requirement, ruling and section of the specification that
// code and tests cite, says how far it is done, and names a test that is there.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { exists, read, walk } from './markdown.mjs';

const TABLE = 'docs/protocol-support.md';
const text = read(TABLE);

// Of a transcript only the comments are words; the rest is ids and messages.
function wordsOf(file) {
  const all = read(file);
  return file.endsWith('.txt')
    ? all.split('\n').filter((line) => line.startsWith('#')).join('\n')
    : all;
}

const cited = new Map();
const cite = (what, file) => cited.set(what, [...(cited.get(what) ?? []), file]);
for (const folder of ['src', 'native', 'wasm', 'web', 'tests']) {
  for (const file of walk(folder)) {
    if (!/\.(h|cc|js|mjs|ts|txt)$/.test(file) || file.startsWith('tests/docs/')) continue;
    const words = wordsOf(file);
    for (const [, letter, first, last] of words.matchAll(/\b([A-Z])-(\d\d)\b(?: to \1-(\d\d)\b)?/g)) {
      for (let number = Number(first); number <= Number(last ?? first); ++number) {
        cite(`${letter}-${String(number).padStart(2, '0')}`, file);
      }
    }
    for (const [ruling] of words.matchAll(/\bR-\d\b/g)) cite(ruling, file);
    for (const [, number] of words.matchAll(/(?<!RFC \d+ )\bsection (\d+)\b/gi)) {
      cite(`section ${number}`, file);
    }
  }
}

const rows = [...text.matchAll(/^\| ([A-Z]-\d\d?) \|(.*)\|$/gm)].map(([, id, rest]) => {
  const cells = rest.split('|').map((cell) => cell.trim());
  return { id, cells, files: [...rest.matchAll(/\]\(([^)#]+)\)/g)].map(([, file]) => file) };
});

test('what is cited is in the document', () => {
  assert.ok(cited.size > 100, 'the source tree was not read');
  const there = new Set(rows.map(({ id }) => id));
  for (const [, number] of text.matchAll(/^#+ (\d+)\. /gm)) there.add(`section ${number}`);
  const missing = [...cited]
    .filter(([what]) => !there.has(what))
    .map(([what, files]) => `${what}: cited by ${files[0]}`);
  assert.deepEqual(missing, []);
});

const cites = (file, id) => (cited.get(id) ?? []).includes(file);

test('what is done is cited by a test that its row names', () => {
  const complaints = rows
    .filter(({ id, cells: [, status] }) => !id.startsWith('R-') && /^(done|partly)\b/.test(status))
    .filter(({ id, files }) => !files.some((file) => cites(path.posix.join('docs', file), id)))
    .map(({ id }) => id);
  assert.deepEqual(complaints, []);
});

test('each row is there once', () => {
  const ids = rows.map(({ id }) => id);
  assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), []);
});

test('each requirement says how far it is done, and what shows it', () => {
  const complaints = [];
  for (const { id, cells, files } of rows) {
    if (id.startsWith('R-')) continue;
    const [meaning, status] = cells;
    if (cells.length !== 3 || !meaning) complaints.push(`${id}: not three columns`);
    if (!/^(done|partly|not yet|no)\b/.test(status)) complaints.push(`${id}: no status: ${status}`);
    if (/^(done|partly)\b/.test(status) && files.length === 0) complaints.push(`${id}: nothing shows it`);
    if (!/^done$/.test(status) && status.length < 12) complaints.push(`${id}: no reason`);
    for (const file of files) {
      const target = path.posix.join(path.posix.dirname(TABLE), file);
      if (!exists(target)) complaints.push(`${id}: there is no ${target}`);
      else if (!target.startsWith('tests/')) complaints.push(`${id}: ${target} is no test`);
    }
  }
  assert.deepEqual(complaints, []);
});
