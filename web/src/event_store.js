import { SessionError } from './errors.js';

/** @import { EventStoreOptions, SessionStore } from '../index.js' */

const AN_HOUR = 3_600_000;

/** Events as records: of the session, of the kind of their stream, listed in the order they came. */
class EventStore {
  #store;
  #owner;
  #life;

  /** @param {SessionStore} store @param {EventStoreOptions} options */
  constructor(store, { session, ttl = AN_HOUR }) {
    if (!session) throw new TypeError('session must be named');
    this.#store = store;
    this.#owner = session;
    this.#life = { maxLife: ttl };
  }

  /** @param {string} streamId @param {unknown} message @returns {Promise<string>} */
  async storeEvent(streamId, message) {
    const id = crypto.randomUUID();
    const event = JSON.stringify(message);
    for (;;) {
      try {
        await this.#store.create({ owner: this.#owner, kind: streamId, id }, event, this.#life);
        return `${streamId}_${id}`;
      } catch (/** @type {any} */ error) {
        if (error.code !== 'CAPACITY' || !(await this.#dropOldest(streamId))) throw error;
      }
    }
  }

  /** @param {string} eventId @returns {Promise<string | undefined>} */
  async getStreamIdForEventId(eventId) {
    const { kind, id } = this.#parse(eventId);
    return (await this.#store.get({ owner: this.#owner, kind, id })) && kind;
  }

  /** @param {string} lastEventId @param {{ send: (eventId: string, message: any) => Promise<void> }} to @returns {Promise<string>} */
  async replayEventsAfter(lastEventId, { send }) {
    const { kind, id } = this.#parse(lastEventId);
    let found = false;
    for await (const record of this.#store.list({ owner: this.#owner, kind })) {
      if (found) await send(`${kind}_${record.id}`, record.json());
      found ||= record.id === id;
    }
    if (!found) throw new SessionError('GAP', 'no such event');
    return kind;
  }

  /** @param {string} eventId */
  #parse(eventId) {
    const at = eventId.lastIndexOf('_');
    if (at < 1) throw new SessionError('GAP', 'no such event');
    return { kind: eventId.slice(0, at), id: eventId.slice(at + 1) };
  }

  /** @param {string} kind */
  async #dropOldest(kind) {
    const { value } = await this.#store.list({ owner: this.#owner, kind }).next();
    return value && this.#store.remove({ owner: this.#owner, kind, id: value.id });
  }
}

/** @param {SessionStore} store @param {EventStoreOptions} options */
export const createEventStore = (store, options) => new EventStore(store, options);
