// Runs the scripts of the documents in a folder of their own, where what they import is installed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { read } from './markdown.mjs';

/** A fresh folder with an empty node_modules, gone when the test ends. */
export function makeFolder() {
  const folder = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? os.tmpdir(), 'docs-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
  return folder;
}

/** Runs tests/docs/SCRIPT with the server at `origin`; what it says to the console. */
export function run(folder, script, origin = '') {
  const text = read(`tests/docs/${script}`);
  return runText(folder, script, text.replaceAll('http://127.0.0.1:8808', origin));
}

/** Runs `text` as the module `name`. */
export async function runText(folder, name, text) {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  const said = [];
  const { log } = console;
  console.log = (value) => said.push(value);
  try {
    await import(pathToFileURL(file));
  } finally {
    console.log = log;
  }
  return said;
}
