// sdk_servers_test.mjs PROGRAM: the native client, as `mcp-session tools` and `call`, with servers of the
// official TypeScript SDK, in both eras and over stdio.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = path.resolve(process.argv[2]);
const server = fileURLToPath(new URL('sdk_server.mjs', import.meta.url));
const run = promisify(execFile);

async function exercise(url) {
  const tools = await run(program, ['tools', url]);
  assert.match(tools.stdout, /^echo +Echo the message\n$/);
  const echoed = await run(program, ['call', url, 'echo', '{"message":"grüezi"}']);
  assert.equal(echoed.stdout, 'grüezi\n');
  await assert.rejects(run(program, ['call', url, 'echo', '{}']), { code: 1 });
}

for (const kind of ['session', 'stateless', 'sse']) {
  test(`a server of the SDK over HTTP: ${kind}`, async () => {
    const child = spawn(process.execPath, [server, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [url] = await once(readline.createInterface({ input: child.stdout }), 'line');
    try {
      await exercise(url);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
}

test('a server of the SDK over stdio', () =>
  exercise(`stdio:exec '${process.execPath}' '${server}' stdio`));
