// What the documents point to is there: links, paths, packages, functions.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { blocksOf, documents, exists, proseOf, read, root, walk } from './markdown.mjs';

// As GitHub names headings.
function anchorsOf(text) {
  return proseOf({ text })
    .filter((line) => /^#+ /.test(line))
    .map((line) => line.replace(/^#+ /, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim().toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

function* spansOf(document) {
  for (const [index, line] of proseOf(document).entries()) {
    for (const [, code] of line.matchAll(/`([^`]+)`/g)) yield { at: `${document.file}:${index + 1}`, code };
  }
}

const ours = documents.filter(({ file }) => !file.startsWith('tests/'));

test('links lead somewhere', () => {
  const complaints = [];
  for (const document of documents) {
    proseOf(document).forEach((line, index) => {
      for (const [, target] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [to, anchor] = target.split('#');
        const file = to === '' ? document.file
          : path.posix.join(path.posix.dirname(document.file), to);
        const at = `${document.file}:${index + 1}`;
        if (!exists(file)) complaints.push(`${at}: there is no ${file}`);
        else if (anchor !== undefined && !anchorsOf(read(file)).includes(anchor)) {
          complaints.push(`${at}: ${file} has no heading #${anchor}`);
        }
      }
    });
  }
  assert.deepEqual(complaints, []);
});

test('paths of the tree are there', () => {
  const complaints = [];
  for (const document of ours) {
    for (const { at, code } of spansOf(document)) {
      const file = /^((?:src|native|wasm|web|tests|tools|docs|\.ci)\/[\w./-]*[\w/])(?:\s|$)/.exec(code)?.[1];
      if (file && !exists(file)) complaints.push(`${at}: there is no ${file}`);
    }
  }
  assert.deepEqual(complaints, []);
});

test('packages of Bazel are there', () => {
  const complaints = [];
  for (const document of ours) {
    const commands = blocksOf(document).flatMap(({ at, lines }) => lines.map((code) => ({ at, code })));
    for (const { at, code } of [...spansOf(document), ...commands]) {
      for (const [, folder, target] of code.matchAll(/(?:^|[\s'"(]|@mcp_session)\/\/([\w/-]*)(:[\w.-]+|\.\.\.|\/\.\.\.)?(?=$|[\s'",)])/g)) {
        if (target?.endsWith('...')) continue;
        if (!exists(path.posix.join(folder, 'BUILD.bazel'))) complaints.push(`${at}: no package //${folder}`);
      }
    }
  }
  assert.deepEqual(complaints, []);
});

test('functions that are named exist', () => {
  const sources = ['src', 'native', 'wasm', 'web']
    .flatMap((folder) => [...walk(folder)])
    .filter((file) => /\.(h|cc|js)$/.test(file))
    .map(read)
    .join('\n');
  const complaints = [];
  for (const document of ours) {
    for (const { at, code } of spansOf(document)) {
      const name = /^(?:\w+::)+(\w+)$/.exec(code)?.[1] ?? /^(?:\w+\.)?(#?\w+)\(\)$/.exec(code)?.[1];
      if (name && !sources.includes(`${name}(`) && !new RegExp(`\\b(struct|class|enum class) ${name}\\b`).test(sources)) {
        complaints.push(`${at}: ${code} is nowhere (${root})`);
      }
    }
  }
  assert.deepEqual(complaints, []);
});
