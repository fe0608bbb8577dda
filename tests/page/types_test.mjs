// types_test.mjs INDEX_D_TS FILE...: the page's scripts use the package as its types say. FILEs are
// those of //web/demo:files.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import ts from 'typescript';

const [declarations, ...files] = process.argv.slice(2);
const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'types-'));
after(() => rmSync(folder, { recursive: true }));

test('the page type-checks', () => {
  const scripts = [];
  for (const file of files) {
    const served = file.replace(/^.*web\/demo\/files\//, '');
    // The package is known by its declarations alone.
    if (!served.endsWith('.js') || served.startsWith('mcp-session/')) continue;
    scripts.push(path.join(folder, served));
    copyFileSync(file, scripts.at(-1));
  }
  assert.ok(scripts.length > 5);
  mkdirSync(path.join(folder, 'mcp-session'));
  copyFileSync(declarations, path.join(folder, 'mcp-session/index.d.ts'));
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  const program = ts.createProgram(scripts, {
    allowJs: true,
    checkJs: true,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
    noUnusedLocals: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
  });
  const told = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const where = file ? path.basename(file.fileName) : 'options';
    const line = file ? file.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0;
    return `${where}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  assert.deepEqual(told, []);
});
