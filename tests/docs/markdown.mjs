// The project's documents: what is in their fenced blocks, links and code spans.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Node resolves the links by which Bazel hands it this file: this is the source tree.
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
assert.ok(existsSync(path.join(root, 'WORKSPACE')), `${root} is not the source tree`);

export const read = (file) => readFileSync(path.join(root, file), 'utf8');
export const exists = (file) => existsSync(path.join(root, file));

/** The files below a folder of the tree, as paths from its root. */
export function* walk(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    if (/^(node_modules|bazel-.*|\..*)$/.test(entry.name)) continue;
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(file);
    else if (entry.isFile()) yield file;
  }
}

/** All documents: { file, text }. */
export const documents = [...walk('.')]
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: read(file) }));

/**
 * The fenced blocks of a document: { at, language, source, lines }. `source` is the file that the
 * comment on the line before names: <!-- tests/docs/baskets.cc -->.
 */
export function blocksOf({ file, text }) {
  const blocks = [];
  let open;
  let before = '';
  text.split('\n').forEach((line, index) => {
    const fence = /^\s*```\s*(\S*)/.exec(line);
    if (open && fence) {
      blocks.push(open);
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      const source = /^\s*<!-- (\S+) -->$/.exec(before)?.[1];
      open = { at: `${file}:${index + 1}`, language: fence[1].toLowerCase(), source, lines: [] };
    }
    before = line;
  });
  assert.equal(open, undefined, `${file}: a fenced block has no end`);
  return blocks;
}

/** The lines of a document that are prose: those in fenced blocks are empty. */
export function proseOf({ text }) {
  let inside = false;
  return text.split('\n').map((line) => {
    const fence = /^\s*```/.test(line);
    if (fence) inside = !inside;
    return inside || fence ? '' : line;
  });
}

/** The same lines, as far to the left as they go together. */
export function dedent(lines) {
  const depth = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(depth));
}
