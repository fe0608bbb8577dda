// conformance_test.mjs EVERYTHING_SERVER
//
// The public conformance suite against our server, for both revisions that it has requirements of.
// expected.json lists the scenarios that pass, and those that are not served yet, each with the
// reason. One that is listed as passing and fails is a failure; so is one that passes though it is
// listed as not served, and one that is not listed at all.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import test, { after, before } from 'node:test';

const program = path.resolve(process.argv[2]);
const expected = JSON.parse(readFileSync(new URL('expected.json', import.meta.url), 'utf8'));
const suite = createRequire(import.meta.url)
  .resolve('@modelcontextprotocol/conformance/package.json')
  .replace(/package\.json$/, 'dist/index.js');
const results = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'conformance-'));

let server;
let url;

before(async () => {
  server = spawn(program, { stdio: ['ignore', 'pipe', 'inherit'] });
  [url] = await once(readline.createInterface({ input: server.stdout }), 'line');
});

after(async () => {
  server.kill('SIGTERM');
  await once(server, 'exit');
});

// What the suite wrote of each scenario: { name: checks }.
async function run(revision) {
  const output = path.join(results, revision);
  const args = ['server', '--url', url, '--requirements', revision, '-o', output];
  const child = spawn(process.execPath, [suite, ...args], { stdio: 'ignore' });
  await once(child, 'exit');
  return new Map(readdirSync(output).map((folder) => [
    /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(folder)[1],
    JSON.parse(readFileSync(path.join(output, folder, 'checks.json'), 'utf8')),
  ]));
}

const WIRE = 'wire-schema-valid';

// Why a scenario does not pass; empty if it does. What a check warns of is told but no failure,
// unless it is a message that the revision's schema does not admit. That our messages are valid is
// not enough.
function complaints(checks) {
  const bad = checks.filter(({ id, status }) =>
    status === 'FAILURE' || (id === WIRE && status !== 'SUCCESS'));
  if (bad.length > 0) return bad.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? ''}`);
  const good = checks.some(({ id, status }) => status === 'SUCCESS' && id !== WIRE);
  return good ? [] : ['nothing was checked'];
}

for (const [revision, { passes, notServed }] of Object.entries(expected)) {
  test(revision, { timeout: 120_000 }, async (t) => {
    const scenarios = await run(revision);
    const wrong = [];
    let passed = 0;
    for (const [name, checks] of scenarios) {
      const why = complaints(checks);
      if (why.length === 0) ++passed;
      for (const { id, status, errorMessage } of checks) {
        if (status === 'WARNING') t.diagnostic(`${name}: ${id}: ${errorMessage ?? ''}`);
      }
      if (passes.includes(name)) {
        if (why.length > 0) wrong.push(`${name} does not pass: ${why.join('; ')}`);
      } else if (!(name in notServed)) {
        wrong.push(`${name} is not in expected.json; ${why.join('; ') || 'it passes'}`);
      } else if (why.length === 0) {
        wrong.push(`${name} passes: move it to the others in expected.json`);
      }
    }
    for (const name of [...passes, ...Object.keys(notServed)]) {
      if (!scenarios.has(name)) wrong.push(`${name} was not run`);
    }
    for (const [name, reason] of Object.entries(notServed)) {
      if (!reason) wrong.push(`${name} has no reason`);
    }
    t.diagnostic(`${passed} of ${scenarios.size} scenarios pass`);
    assert.deepEqual(wrong, []);
  });
}
