// Code in README.md and docs/ is part of a file that is compiled or run: the comment before a
// block names the file, and the block is a run of its lines, all the same but for indentation.
import assert from 'node:assert/strict';
import test from 'node:test';
import { blocksOf, dedent, documents, exists, read } from './markdown.mjs';

const CODE = new Set(['c', 'cc', 'cpp', 'c++', 'js', 'mjs', 'javascript', 'jsx', 'ts', 'tsx',
  'typescript', 'python', 'py', 'starlark', 'bazel', 'bzl']);

// The package's README.md is no place for such comments; javascript_test.mjs runs what is in it.
const blocks = documents
  .filter(({ file }) => !/^(tests|web)\//.test(file))
  .flatMap(blocksOf);

function contains(file, wanted) {
  const lines = read(file).split('\n');
  return lines.some((line, at) => {
    const piece = lines.slice(at, at + wanted.length);
    return piece.length === wanted.length && dedent(piece).join('\n') === wanted.join('\n');
  });
}

test('there are blocks to look at', () => {
  assert.ok(blocks.filter(({ source }) => source).length >= 5);
});

test('code says where it comes from', () => {
  const complaints = blocks
    .filter(({ language, source }) => CODE.has(language) && source === undefined)
    .map(({ at, language }) => `${at}: a ${language} block without <!-- FILE --> before it`);
  assert.deepEqual(complaints, []);
});

test('code is what the file says', () => {
  const complaints = [];
  for (const { at, source, lines } of blocks) {
    if (source === undefined) continue;
    if (!exists(source)) complaints.push(`${at}: there is no ${source}`);
    else if (lines.every((line) => !line.trim())) complaints.push(`${at}: the block is empty`);
    else if (!contains(source, dedent(lines))) complaints.push(`${at}: not in ${source} as it stands`);
  }
  assert.deepEqual(complaints, []);
});
