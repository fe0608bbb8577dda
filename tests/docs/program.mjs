// Programs that tests start: their first line says where they listen.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import readline from 'node:readline';

export async function start(program, args = []) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => { log += chunk; });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([
    once(readline.createInterface({ input: child.stdout }), 'line'),
    exited.then(() => { throw new Error(`${program} did not start: ${log}`); }),
  ]);
  const origin = /http:\/\/[\w.:]+/.exec(line)?.[0];
  if (!origin) throw new Error(`unexpected first line: ${line}`);
  return {
    origin,
    // Resolves to the exit code.
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
  };
}
