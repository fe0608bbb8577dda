// Runs the server of the conformance suite for the tests of a file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { after, before } from 'node:test';

// `url` and `process` are there once the tests run.
export function runServer(program) {
  const server = {};
  before(async () => {
    server.process = spawn(path.resolve(program), { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(readline.createInterface({ input: server.process.stdout }), 'line');
    server.url = new URL(line);
  });
  after(async () => {
    if (server.process.exitCode !== null) return;
    server.process.kill('SIGTERM');
    await once(server.process, 'exit');
  });
  return server;
}
