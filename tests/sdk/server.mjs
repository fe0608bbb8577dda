// Starts `mcp-session serve` on a free port and stops it again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

export async function startServer(program, args = []) {
  const child = spawn(program, ['serve', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => { log += chunk; });
  const exited = once(child, 'exit');
  const firstLine = once(readline.createInterface({ input: child.stdout }), 'line');
  const [line] = await Promise.race([
    firstLine,
    exited.then(() => { throw new Error(`the server did not start: ${log}`); }),
  ]);
  const url = /^mcp-session listening on (http:\/\/\S+\/mcp)$/.exec(line)?.[1];
  if (!url) throw new Error(`unexpected first line: ${line}`);
  return {
    url: new URL(url),
    log: () => log,
    // Resolves to the exit code.
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
