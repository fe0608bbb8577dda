// Watching resources: the server says when one has changed. Sessions subscribe to each; in the
// stateless era one request for each stays open for as long as it is watched.
/** @typedef {import('./mcp-session/index.js').McpClient} McpClient */

// The client gives up what takes longer; it is asked again then.
const LONGEST = 2 ** 31 - 1;

/** @param {McpClient} client */
export const canWatch = (client) => client.capabilities?.resources?.subscribe === true;

/**
 * Resolves when it is watched. After that, `ended` is called if it cannot be any longer.
 * @param {McpClient} client
 * @param {string} uri
 * @param {AbortSignal} signal ends it
 * @param {(error: unknown) => void} ended
 */
export async function watch(client, uri, signal, ended) {
  if (client.era === 'handshake') {
    await client.request('resources/subscribe', { uri });
    const leave = () => void client.request('resources/unsubscribe', { uri }).catch(() => {});
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
    return;
  }
  listen(client, uri, signal).catch((error) => signal.aborted || ended(error));
}

/** @param {McpClient} client @param {string} uri @param {AbortSignal} signal */
async function listen(client, uri, signal) {
  for (;;) {
    const wanted = { notifications: { resourceSubscriptions: [uri] } };
    try {
      await client.request('subscriptions/listen', wanted, { signal, timeout: LONGEST });
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (signal.aborted || code !== 'TIMEOUT') throw error;
    }
  }
}
