// client_test.mjs EVERYTHING_CLIENT
// client_test.mjs everything_client.mjs CORE.wasm index.node.js
//
// The public conformance suite as the server of our client, native or in JavaScript: every scenario
// that a revision requires, but for those of OAuth, which our client leaves to a token provider.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

const [driver, ...files] = process.argv.slice(2).map((file) => path.resolve(file));
const program = driver.endsWith('.mjs') ? `${process.execPath} ${driver}` : driver;
const env = { ...process.env, MCP_SESSION_PACKAGE: files.join(path.delimiter) };
const suite = createRequire(import.meta.url)
  .resolve('@modelcontextprotocol/conformance/package.json')
  .replace(/package\.json$/, 'dist/index.js');
const results = mkdtempSync(path.join(process.env.TEST_TMPDIR ?? tmpdir(), 'conformance-'));

const required = {
  '2025-11-25': ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry',
    'json-schema-2020-12-preservation'],
  '2026-07-28': ['tools_call', 'request-metadata', 'http-standard-headers', 'http-custom-headers',
    'http-invalid-tool-headers', 'sep-2322-client-request-state', 'json-schema-ref-no-deref',
    'json-schema-2020-12-preservation'],
};

for (const [revision, scenarios] of Object.entries(required)) {
  for (const name of scenarios) {
    test(`${name} of ${revision}`, { timeout: 60_000 }, async () => {
      const output = mkdtempSync(path.join(results, 'run-'));
      const args = ['client', '--command', program, '--scenario', name, '--spec-version', revision,
        '-o', output];
      const child = spawn(process.execPath, [suite, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let log = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { log += bytes; });
      const [code] = await once(child, 'close');
      const checks = readdirSync(output).flatMap((folder) =>
        JSON.parse(readFileSync(path.join(output, folder, 'checks.json'), 'utf8')));
      const bad = checks.filter(({ status }) => status === 'FAILURE')
        .map(({ id, errorMessage }) => `${id}: ${errorMessage ?? ''}`);
      assert.deepEqual(bad, []);
      assert.ok(checks.some(({ status }) => status === 'SUCCESS'), `nothing was checked: ${log}`);
      assert.equal(code, 0, log);
    });
  }
}
