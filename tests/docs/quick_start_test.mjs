// quick_start_test.mjs BASKETS MCP_SESSION: what README.md tells people to do works: the program
// for server authors, the curl lines, and the configuration for stdio.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';
import { blocksOf, documents } from './markdown.mjs';
import { start } from './program.mjs';

const [baskets, program] = process.argv.slice(2).map((file) => path.resolve(file));
const readme = blocksOf(documents.find(({ file }) => file === 'README.md'));

// A stateless call, as any client may make it.
async function call(origin, name, args) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const response = await fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta },
    }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).result;
}

test('the program for server authors keeps a basket, and stops', async () => {
  const server = await start(baskets);
  const { basket } = (await call(server.origin, 'create_basket', {})).structuredContent;
  assert.match(basket, /^basket_[\w-]{22}$/);
  await call(server.origin, 'add_item', { basket, item: 'apple' });
  const full = await call(server.origin, 'add_item', { basket, item: 'pear' });
  assert.deepEqual(full.structuredContent, { items: ['apple', 'pear'] });
  assert.equal((await call(server.origin, 'add_item', { basket })).isError, true);
  assert.equal(await server.stop(), 0);
});

// The words of a command line as a shell splits them, as far as the documents go.
function split(command) {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)]
    .map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

async function curl([name, ...words], origin) {
  assert.equal(name, 'curl');
  const request = { method: 'GET', headers: {} };
  let url;
  while (words.length > 0) {
    const word = words.shift();
    if (word === '-H') {
      const [, header, value] = /^([^:]+):\s*(.*)$/.exec(words.shift());
      request.headers[header] = value;
    } else if (word === '-d') {
      request.body = words.shift();
      request.method = 'POST';
    } else if (!word.startsWith('-')) {
      url = new URL(word);
    } else {
      assert.ok(['-s', '-i', '-si'].includes(word), `curl ${word} is not known here`);
    }
  }
  assert.equal(url.origin, 'http://127.0.0.1:8808');
  return fetch(origin + url.pathname, request);
}

test('the curl lines work', async () => {
  const lines = readme
    .filter(({ language }) => language === 'sh')
    .flatMap(({ lines: block }) => block.join('\n').replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith('curl '));
  assert.ok(lines.length > 0);
  const server = await start(program, ['serve', '--port', '0']);
  for (const line of lines) {
    const response = await curl(split(line), server.origin);
    assert.equal(response.status, 200, line);
    const text = await response.text();
    if (response.headers.get('content-type') !== 'application/json') continue;
    assert.ok(JSON.parse(text).result, text);
  }
  assert.equal(await server.stop(), 0);
});

test('the configuration for stdio works', async () => {
  const text = readme.find(({ language }) => language === 'json').lines.join('\n');
  const [{ command, args }] = Object.values(JSON.parse(text).mcpServers);
  assert.match(command, /\/mcp-session$/);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const params = {
    protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1.0' },
  };
  const answer = once(readline.createInterface({ input: child.stdout }), 'line');
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
  assert.equal(JSON.parse((await answer)[0]).result.protocolVersion, '2025-11-25');
  child.stdin.end();
  assert.deepEqual(await exited, [0, null]);
});
