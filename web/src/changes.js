import { SessionError } from './errors.js';

/** @import { McpClient } from './client.js' */
/** @import { Change, ChangesOptions, WantedChanges } from '../index.js' */

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const PATIENCE = 60_000;
const LONGEST_WAIT = 60_000;
const MAX_WAITING = 1000;

/** One subscription of a client begins after the other, for what acknowledges it names no client. @type {WeakMap<McpClient, Promise<unknown>>} */
const turns = new WeakMap();

/** @param {EventTarget} target @param {string} type @param {AbortSignal} signal @param {(event: any) => boolean} [fits] */
const happens = (target, type, signal, fits = () => true) =>
  new Promise((resolve) => {
    target.addEventListener(type, (event) => fits(event) && resolve(event), { signal });
  });

/** Also returns when `signal` aborts. @param {number} time @param {AbortSignal} signal */
const pass = (time, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, time);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });

/**
 * Listens once: resolves when it is acknowledged; `ended` settles when it ends.
 * @param {McpClient} client @param {any} wanted @param {(change: Change) => void} tell @param {AbortSignal} stop
 */
async function listen(client, { uris, hears, ...kinds }, tell, stop) {
  const own = new AbortController();
  stop.addEventListener('abort', () => own.abort());
  const { signal } = own;
  await client.connect({ signal });
  const lost = happens(client, 'sessionlost', signal);
  if (client.era === 'handshake') {
    if (!hears()) throw new TypeError('to hear of changes in a session, set the option listen');
    /** @type {string[]} */
    const subscribed = [];
    for (const uri of uris) {
      try {
        await client.request('resources/subscribe', { uri }, { signal });
        subscribed.push(uri);
      } catch (/** @type {any} */ error) {
        if (!error.rpc) throw error; // else the server has no such thing
      }
    }
    const capabilities = client.capabilities ?? {};
    const honoured = Object.entries(kinds).filter(([kind]) => capabilities[kind]?.listChanged);
    tell({ method: ACKNOWLEDGED, params: { notifications: notificationsOf({ ...Object.fromEntries(honoured), uris: subscribed }) } });
    stop.addEventListener('abort', () => {
      for (const uri of subscribed) client.request('resources/unsubscribe', { uri }).catch(() => {});
    });
    return { ended: lost };
  }
  const acknowledged = happens(client, 'notification', signal, ({ detail }) => detail.method === ACKNOWLEDGED);
  const params = { notifications: notificationsOf({ ...kinds, uris }) };
  const ended = client.request('subscriptions/listen', params, { signal, timeout: Infinity });
  const patience = new AbortController();
  const late = pass(PATIENCE, patience.signal).then(() => {
    throw new SessionError('TIMEOUT', 'the subscription was not acknowledged in time');
  });
  const refused = ended.then(() => {
    throw new SessionError('PEER', 'the server ended the subscription');
  });
  refused.catch(() => {});
  late.catch(() => {});
  try {
    tell((await Promise.race([acknowledged, refused, late])).detail);
  } catch (error) {
    own.abort();
    throw error;
  } finally {
    patience.abort();
  }
  return { ended };
}

/** As subscriptions/listen has it. @param {WantedChanges} wanted */
const notificationsOf = ({ tools, prompts, resources, uris }) => ({
  toolsListChanged: tools || undefined,
  promptsListChanged: prompts || undefined,
  resourcesListChanged: resources || undefined,
  resourceSubscriptions: uris?.length ? uris : undefined,
});

/**
 * What changes at the server, for as long as somebody reads.
 * @param {McpClient} client @param {WantedChanges} wanted @param {ChangesOptions} options
 * @param {() => boolean} hears whether the client would hear of them in a session
 * @returns {AsyncGenerator<Change, void>}
 */
export async function* changes(client, { tools, prompts, resources, uris = [] }, { signal }, hears) {
  const stop = new AbortController();
  const kinds = { tools, prompts, resources };
  /** What nobody has read yet; the same change twice is one. @type {Map<string, Change>} */
  const waiting = new Map();
  /** @type {unknown} */
  let failure;
  let over = false;
  let heard = false;
  let wake = () => {};
  /** @param {Change} change */
  const tell = (change) => {
    // Of too many, that everything may have changed.
    if (waiting.size >= MAX_WAITING) waiting.clear(), (change = { method: ACKNOWLEDGED, params: {} });
    waiting.set(`${change.method} ${change.params?.uri ?? ''}`, change);
    wake();
  };
  const end = (/** @type {unknown} */ error) => {
    failure ??= error;
    over = true;
    wake();
  };
  const onAbort = () => end(new SessionError('CANCELLED', 'the request was aborted', { cause: signal?.reason }));
  const onNotification = (/** @type {any} */ { detail }) => {
    const [, kind, what] = detail.method.split('/');
    const fits = what === 'updated'
      ? uris.some((uri) => detail.params?.uri?.startsWith(uri))
      : what === 'list_changed' && /** @type {any} */ (kinds)[kind];
    if (!fits) return;
    heard = true;
    tell(detail);
  };
  const run = async () => {
    for (let tries = 0; !over; ++tries) {
      let acknowledged = false;
      const since = Date.now();
      try {
        const begin = () => listen(client, { ...kinds, uris, hears }, tell, stop.signal);
        const turn = (turns.get(client) ?? Promise.resolve()).then(begin);
        turns.set(client, turn.catch(() => {}));
        const { ended } = await turn;
        acknowledged = true;
        await ended;
      } catch (error) {
        if (!tries && !acknowledged) return end(error);
      }
      if (heard || (acknowledged && Date.now() - since >= LONGEST_WAIT)) tries = 0;
      heard = false;
      // Those who were cut off together do not come back together.
      await pass(Math.min(1000 * 2 ** tries, LONGEST_WAIT) + Math.random() * 100, stop.signal);
    }
  };
  const onClose = () => end(undefined);
  client.addEventListener('notification', onNotification);
  client.addEventListener('close', onClose);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  else run();
  try {
    for (;;) {
      for (const [key, change] of waiting) {
        waiting.delete(key);
        yield change;
      }
      if (failure) throw failure;
      if (over) return;
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
      });
    }
  } finally {
    over = true;
    stop.abort();
    client.removeEventListener('notification', onNotification);
    client.removeEventListener('close', onClose);
    signal?.removeEventListener('abort', onAbort);
  }
}
