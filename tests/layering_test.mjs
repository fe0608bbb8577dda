// Holds the tree to the map in docs: which folder may include which, which words are
// not for src/, how headers are guarded, and what lies at the top.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

// Node resolves the links by which Bazel hands it this file: this is the source tree.
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
assert.ok(existsSync(path.join(root, 'WORKSPACE')), `${root} is not the source tree`);

// Folder of src/mcp_session: the folders it may include besides itself.
const arrows = {
  base: [],
  json: ['base'],
  protocol: ['base', 'json'],
  store: ['base'],
  session: ['base', 'json', 'protocol', 'store'],
  server: ['base', 'json', 'protocol', 'store', 'session'],
  client: ['base', 'json', 'protocol', 'store', 'session'],
};

// What src/ may include besides the standard library.
const libraries = { 'nlohmann/': 'json', 'tl/expected.hpp': 'base' };

const forbidden = [
  [/\b(throw|try|catch|dynamic_cast|typeid)\b/, 'src/ is built without exceptions and RTTI'],
  [/\bthread_local\b|\bstd::j?thread\b|\bstd::(\w+_)?mutex\b/, 'src/ has no threads'],
  [/::now\s*\(|\b(system|steady|high_resolution)_clock\b/, 'time is an argument in src/'],
  [/\bstd::rand\b|\bs?rand\s*\(|\brandom_device\b/, 'randomness is an argument in src/'],
  [/\bstd::(cout|cerr|clog|cin)\b|\bf?printf\s*\(/, 'src/ does no input or output'],
  [/__EMSCRIPTEN__/, 'src/ is the same for every target'],
];
const forbiddenHeaders = new Set(['thread', 'mutex', 'shared_mutex', 'condition_variable', 'future',
  'stop_token', 'iostream', 'fstream', 'filesystem', 'typeinfo', 'typeindex', 'any']);
// With exceptions off these end the process on bad input; json/access.h does not.
const unchecked = [/(\.|->)at\s*\(/, /(\.|->)(template\s+)?get(_ref|_to)?\s*</, /(\.|->)value\s*\(\s*"/];

const topLevel = new Set(['BUILD.bazel', 'CHANGELOG.md', 'LICENSE', 'MODULE.bazel', 'README.md',
  'WORKSPACE', 'docs', 'native', 'src', 'tests', 'tools', 'wasm', 'web']);
// Made on the way, and ignored by git.
const generated = /^(bazel-.*|MODULE\.bazel\.lock|compile_commands\.json|user\.bazelrc|node_modules)$/;

function* walk(folder) {
  if (!existsSync(path.join(root, folder))) return;
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') yield* walk(name);
    } else if (entry.isFile() && /\.(h|cc)$/.test(entry.name)) {
      yield name;
    }
  }
}

// The code without comments and without what literals say; lines keep their numbers.
function code(text) {
  const tokens =
    /\/\/[^\n]*|\/\*[^]*?\*\/|\bR"([^()\s\\]{0,16})\([^]*?\)\1"|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'|[0-9][0-9A-Fa-f']*/g;
  return text.replace(tokens, (token) => {
    const lines = '\n'.repeat(token.split('\n').length - 1);
    if (token.startsWith('/')) return ` ${lines}`;
    if (/^R?"/.test(token)) return `""${lines}`;
    return token.startsWith("'") ? "''" : token;
  });
}

function read(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const includes = [];
  text.split('\n').forEach((line, index) => {
    const found = /^\s*#\s*include\s*(["<])([^">]+)[">]/.exec(line);
    if (found) includes.push({ line: index + 1, quoted: found[1] === '"', name: found[2] });
  });
  return { file, text, includes, code: code(text) };
}

const files = ['src', 'native', 'wasm', 'tests', 'tools'].flatMap((folder) => [...walk(folder)])
  .filter((file) => !file.startsWith('tests/consumer/'))
  .map(read);
const inFolder = (folder) => files.filter(({ file }) => file.startsWith(`${folder}/`));

// The folder of src/mcp_session (or of native/mcp_session) an include names, if any.
const layerOf = (name, tree = 'src') => {
  const [top, layer] = name.split('/');
  return top === 'mcp_session' && existsSync(path.join(root, tree, top, layer)) ? layer : undefined;
};

function expectNone(complaints) {
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}\n`);
}

test('src includes only what lies below', () => {
  const complaints = [];
  for (const { file, includes } of inFolder('src')) {
    const layer = file.split('/')[2];
    if (!file.startsWith('src/mcp_session/') || !(layer in arrows)) {
      complaints.push(`${file}: not in a folder of the map`);
      continue;
    }
    for (const { line, quoted, name } of includes) {
      const at = `${file}:${line}`;
      if (quoted) {
        const to = layerOf(name);
        if (to === undefined) complaints.push(`${at}: "${name}" is not in src/`);
        else if (to !== layer && !arrows[layer].includes(to)) {
          complaints.push(`${at}: ${layer} may not include ${to}`);
        }
        continue;
      }
      const library = Object.keys(libraries).find((prefix) => name.startsWith(prefix));
      if (library) {
        if (libraries[library] !== layer) {
          complaints.push(`${at}: <${name}> is only for ${libraries[library]}`);
        }
      } else if (/[./]/.test(name)) {
        complaints.push(`${at}: <${name}> is not of the standard library`);
      } else if (forbiddenHeaders.has(name)) {
        complaints.push(`${at}: <${name}> is not for src/`);
      }
    }
  }
  expectNone(complaints);
});

test('native and wasm include what they may', () => {
  const complaints = [];
  for (const { file, includes } of inFolder('native')) {
    for (const { line, quoted, name } of includes) {
      if (quoted && layerOf(name) === undefined && layerOf(name, 'native') === undefined) {
        complaints.push(`${file}:${line}: "${name}" is neither in src/ nor in native/`);
      }
    }
  }
  for (const { file, includes } of inFolder('wasm')) {
    for (const { line, quoted, name } of includes) {
      if (quoted && layerOf(name) === undefined && !name.startsWith('wasm/')) {
        complaints.push(`${file}:${line}: "${name}" is neither in src/ nor in wasm/`);
      }
      if (/^emscripten/.test(name)) complaints.push(`${file}:${line}: abi.cc also builds natively`);
    }
  }
  for (const layer of Object.keys(arrows)) {
    if (existsSync(path.join(root, 'native/mcp_session', layer))) {
      complaints.push(`native/mcp_session/${layer}: the folder's name is one of src/`);
    }
  }
  expectNone(complaints);
});

test('src has none of the forbidden words', () => {
  const complaints = [];
  for (const { file, code } of inFolder('src')) {
    const rules = file.startsWith('src/mcp_session/json/')
      ? forbidden
      : [...forbidden, ...unchecked.map((word) => [word, 'read JSON through json/access.h'])];
    code.split('\n').forEach((line, index) => {
      if (/^\s*#\s*include/.test(line)) return;
      for (const [word, reason] of rules) {
        const found = word.exec(line);
        if (found) complaints.push(`${file}:${index + 1}: ${found[0].trim()}: ${reason}`);
      }
    });
  }
  expectNone(complaints);
});

test('headers are guarded by their path, and come first in their own file', () => {
  const complaints = [];
  for (const { file, text, includes } of files) {
    const name = file.replace(/^(src|native)\//, '');
    if (file.endsWith('.h')) {
      // Test headers are in nobody's include path: theirs need no prefix.
      const prefix = file.startsWith('tests/') ? '' : 'MCP_SESSION_';
      const guard = `${prefix}${name.replace(/^mcp_session\//, '')}_`.toUpperCase()
        .replace(/[^A-Z0-9]/g, '_');
      if (!text.includes(`#ifndef ${guard}\n#define ${guard}\n`)) {
        complaints.push(`${file}: the include guard is not ${guard}`);
      }
    } else if (existsSync(path.join(root, file.replace(/\.cc$/, '.h')))) {
      const own = name.replace(/\.cc$/, '.h');
      if (includes[0]?.name !== own) complaints.push(`${file}: its first include is not "${own}"`);
    }
  }
  expectNone(complaints);
});

test('nothing new at the top', () => {
  expectNone(readdirSync(root)
    .filter((name) => !name.startsWith('.') && !generated.test(name) && !topLevel.has(name)));
});
