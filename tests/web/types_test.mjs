// types_test.mjs FILE...: index.d.ts holds for programs that use it, and for the JavaScript.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import ts from 'typescript';

// The package in a folder of its own, and the programs beside it.
const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'types-'));
after(() => rmSync(folder, { recursive: true }));
const root = path.join(folder, 'node_modules/mcp-session');
mkdirSync(path.join(root, 'src'), { recursive: true });
mkdirSync(path.join(root, 'tests'));
writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
for (const file of process.argv.slice(2)) {
  const to = file.startsWith('web/')
    ? path.join(root, file.slice('web/'.length))
    : path.join(root, 'tests', path.basename(file));
  writeFileSync(to, readFileSync(file));
}
for (const program of ['consumer.ts', 'node.ts']) {
  cpSync(path.join(root, 'tests', program), path.join(folder, program));
}
const nodeTypes = path.resolve(createRequire(import.meta.url).resolve('@types/node/package.json'), '../..');

function check(files, { lib, ...options }) {
  const program = ts.createProgram(files, {
    lib: lib.map((name) => `lib.${name}.d.ts`),
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
    noUnusedLocals: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
    ...options,
  });
  const told = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const where = file ? path.relative(folder, file.fileName) : 'options';
    const line = file ? file.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0;
    return `${where}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  assert.deepEqual(told, []);
}

const consumer = path.join(folder, 'consumer.ts');
const web = ['es2022', 'dom', 'dom.iterable'];

test('a page in TypeScript', () => check([consumer], { lib: web }));

test('a page with everything new', () =>
  check([consumer], { lib: ['esnext', 'dom', 'dom.iterable', 'dom.asynciterable'] }));

test('a worker', () => check([consumer], { lib: ['es2022', 'webworker'] }));

test('a program for Node', () =>
  check([path.join(folder, 'node.ts')], {
    lib: ['es2022'],
    typeRoots: [nodeTypes],
    types: ['node'],
  }));

test('a bundler', () =>
  check([consumer], {
    lib: web,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    exactOptionalPropertyTypes: true,
  }));

test('the JavaScript, by its comments', () =>
  check(['index.js', 'index.node.js', 'src/abi.js', 'src/client.js', 'src/server.js']
    .map((file) => path.join(root, file)), {
    allowJs: true,
    checkJs: true,
    lib: [...web, 'esnext.disposable'],
    maxNodeModuleJsDepth: 9,
    typeRoots: [nodeTypes],
    types: ['node'],
  }));

test('the JavaScript is what is declared', () =>
  check([path.join(root, 'tests/conforms.ts')], {
    allowJs: true,
    lib: [...web, 'esnext.disposable'],
    maxNodeModuleJsDepth: 9,
    noUnusedLocals: false,
  }));
