import { McpClient } from './client.js';
import { Item, holdLock } from './persist.js';

/** @import { Core } from './abi.js' */
/** @import { PersistentClientOptions, SavedSession } from '../index.js' */

/** @param {Core} core @param {PersistentClientOptions} options */
export async function openClient(core, { persist, encrypt, ...options }) {
  const name = `client ${persist}`;
  const item = new Item(name, encrypt);
  // One tab after the other, so that all but the first find its session.
  const release = await holdLock(`mcp-session ${name}`);
  try {
    const client = new McpClient(core, { ...options, session: await load(item) });
    const save = () => item.save(new TextEncoder().encode(JSON.stringify(client.session)));
    await client.connect();
    await save();
    client.addEventListener('open', () => save().catch((error) => console.error(error)));
    const { close } = client;
    client.close = async (how) => {
      await close.call(client, how);
      if (!how?.keepSession) await item.remove();
    };
    return client;
  } finally {
    release();
  }
}

/** @param {Item} item @returns {Promise<SavedSession | undefined>} */
async function load(item) {
  const saved = await item.load();
  try {
    return saved && JSON.parse(new TextDecoder().decode(saved.bytes));
  } catch {
    return undefined;
  }
}
