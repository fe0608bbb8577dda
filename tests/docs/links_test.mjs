// What the documents point to is there: links, paths, packages, functions.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { blocksOf, documents, exists, proseOf, read, walk } from './markdown.mjs';

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
      if (file && !/^tools\/(call|list)$/.test(file) && !exists(file)) complaints.push(`${at}: there is no ${file}`);
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

// ServerEngine::State::Answer is a definition of that name, or a member of a class State or
// ServerEngine::State; event::Woken is a struct; Engine.handle() is a method of a class Engine.
function isDeclared(code, sources) {
  const [, owner, name] = /^(?:\w+::)*(\w+)::(\w+)$/.exec(code) ?? /^(\w+)\.(\w+)\(\)$/.exec(code) ?? [];
  if (name === undefined || /^(std|nlohmann)$/.test(owner)) return true;
  if (/^[a-z]+$/.test(owner)) return sources.some((text) => text.includes(`struct ${name} {`));
  const declaration = new RegExp(`\\b(?:struct|class) (?:\\w+::)*${owner}\\b`);
  const member = new RegExp(`\\b${name}\\b`);
  return sources.some((text) => text.includes(`${code}(`) || (declaration.test(text) && member.test(text)));
}

test('functions that are named exist', () => {
  const sources = ['src', 'native', 'wasm', 'web']
    .flatMap((folder) => [...walk(folder)])
    .filter((file) => /\.(h|cc|js)$/.test(file))
    .map(read);
  const complaints = ours.flatMap((document) => [...spansOf(document)])
    .filter(({ code }) => !isDeclared(code, sources))
    .map(({ at, code }) => `${at}: ${code} is nowhere`);
  assert.deepEqual(complaints, []);
});
