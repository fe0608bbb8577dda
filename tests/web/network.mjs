// A way to a server on this machine that can be cut, for tests of what goes on afterwards.
import { once } from 'node:events';
import net from 'node:net';

/** Starts one to `port`: cut() breaks what is on it, later connections are as before. */
export async function startNetwork(port) {
  const connections = new Set();
  const network = net.createServer((near) => {
    const far = net.connect(Number(port), '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
    connections.add(near);
    near.on('close', () => connections.delete(near));
  });
  network.listen(0, '127.0.0.1');
  await once(network, 'listening');
  return {
    url: `http://127.0.0.1:${network.address().port}/`,
    cut() {
      for (const connection of connections) connection.destroy();
    },
    stop() {
      this.cut();
      network.close();
    },
  };
}
