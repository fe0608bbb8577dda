// A load balancer that knows nothing of sessions: connections go to the nodes in turn, and to the next one
// if a node does not listen.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

async function connectTo(port) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export async function startBalancer(ports) {
  const open = new Set();
  let turn = 0;

  async function connectToAny() {
    for (let attempt = 0; attempt < 300; ++attempt) {
      try {
        return await connectTo(ports[turn++ % ports.length]);
      } catch {
        if (attempt % ports.length === ports.length - 1) await sleep(20);
      }
    }
    throw new Error('no node listens');
  }

  const server = net.createServer({ allowHalfOpen: true }, async (client) => {
    const ends = [client];
    const close = () => ends.forEach((end) => end.destroy());
    client.on('error', close).on('close', close);
    try {
      const node = await connectToAny();
      ends.push(node);
      if (client.destroyed) return close();
      node.on('error', close).on('close', close);
      client.pipe(node);
      node.pipe(client);
      open.add(close);
      node.on('close', () => open.delete(close));
    } catch {
      close();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    // Breaks one connection that is open now.
    breakOne() {
      const all = [...open];
      if (all.length > 0) all[Math.floor(Math.random() * all.length)]();
    },
    close() {
      server.close();
      for (const one of open) one();
    },
  };
}
