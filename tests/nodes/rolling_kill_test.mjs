// rolling_kill_test.mjs MCP_SESSION
//
// Three nodes on one Redis behind a balancer without stickiness, 200 sessions at work, and nodes that are killed
// and started again all the time, and connections that break. No session is lost, no 404 is said, and of each
// stream every event comes once and in order. ROLLING_SECONDS is for how long.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startBalancer } from './balancer.mjs';
import { Client, Interrupted } from './client.mjs';

const program = process.argv[2];
const seconds = Number(process.env.ROLLING_SECONDS ?? 20);
const kSessions = 200;
const kNodes = 3;

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function startRedis(folder) {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', port, '--dir', folder, '--save', '', '--bind', '127.0.0.1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of readline.createInterface({ input: child.stdout })) {
    if (/Ready to accept connections/.test(line)) break;
  }
  child.stdout.resume();
  return { port, child };
}

class Node {
  constructor(port, store) {
    this.port = port;
    this.store = store;
  }

  async start() {
    this.child = spawn(program, ['serve', '--port', this.port, '--store', this.store, '--on-unavailable', 'fail'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr.resume();
    await once(readline.createInterface({ input: this.child.stdout }), 'line');
  }

  async kill() {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}

// What one client does until it is told to stop, and what it must see.
class Worker {
  counted = 0; // calls of `count` that were answered
  unsure = 0; // ones that were not and may yet be done, also while later ones are answered
  streams = 0;
  lost = 0; // calls whose node died

  constructor(url) {
    this.client = new Client(url);
  }

  async open() {
    await this.#insist(() => this.client.open());
  }

  async work(isOver) {
    while (!isOver()) {
      await this.#insist(() => this.count());
      await this.#insist(() => this.slowCount());
    }
  }

  async count() {
    try {
      const { result } = await this.client.call('count', {});
      const { count } = result.structuredContent;
      assert.ok(count > this.counted && count <= this.counted + this.unsure + 1,
        `counted ${count} after ${this.counted}, with ${this.unsure} not known of`);
      this.unsure -= count - this.counted - 1;
      this.counted = count;
    } catch (error) {
      if (error instanceof Interrupted) this.unsure += 1;
      throw error;
    }
  }

  async slowCount() {
    const to = 3 + Math.floor(Math.random() * 5);
    const seen = [];
    const response = await this.client.call('slow_count', { to, delay_ms: 60 }, (message) => {
      assert.equal(message.method, 'notifications/progress');
      seen.push(message.params.progress);
    });
    assert.deepEqual(seen, Array.from(seen, (_, i) => i + 1), 'each event once, in order');
    this.streams += 1;
    if (response.error) {
      this.lost += 1;
      return;
    }
    assert.equal(response.result.structuredContent.counted_to, to);
    assert.equal(seen.length, to);
  }

  // Again, as clients do, after what was interrupted.
  async #insist(step) {
    for (let attempt = 0; attempt < 100; ++attempt) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        await sleep(50);
      }
    }
    assert.fail('interrupted a hundred times');
  }
}

test(`nodes die and return for ${seconds} s`, { timeout: (seconds + 120) * 1000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mcp-session-nodes-'));
  const redis = await startRedis(folder);
  const nodes = [];
  t.after(async () => {
    redis.child.kill('SIGKILL');
    for (const node of nodes) node.child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  for (let i = 0; i < kNodes; ++i) nodes.push(new Node(await freePort(), `redis://127.0.0.1:${redis.port}`));
  await Promise.all(nodes.map((node) => node.start()));
  const balancer = await startBalancer(nodes.map((node) => node.port));
  t.after(() => balancer.close());

  const workers = Array.from({ length: kSessions }, () => new Worker(balancer.url));
  await Promise.all(workers.map((worker) => worker.open()));
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  let kills = 0;
  const work = Promise.all(workers.map((worker) => worker.work(() => isOver)));
  const end = Date.now() + seconds * 1000;
  const trouble = (async () => {
    while (!isOver && Date.now() < end) {
      const node = nodes[Math.floor(Math.random() * kNodes)];
      await node.kill();
      kills += 1;
      for (let i = 0; i < 20; ++i) balancer.breakOne();
      await sleep(300);
      await node.start();
      await sleep(500 + Math.random() * 700);
    }
    isOver = true;
  })();
  await Promise.all([work, trouble]);

  // All of them are still there, with what they kept.
  await Promise.all(workers.map((worker) => worker.count()));
  const sum = (field) => workers.reduce((total, worker) => total + field(worker), 0);
  const streams = sum((worker) => worker.streams);
  const resumptions = sum((worker) => worker.client.resumptions);
  console.log(`${kills} kills, ${streams} streams, ${resumptions} resumptions, ` +
    `${sum((worker) => worker.lost)} calls ended with their node`);
  assert.ok(kills >= seconds / 3);
  assert.ok(streams > kSessions);
  assert.ok(resumptions > kills, 'streams were interrupted');
});
