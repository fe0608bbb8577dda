import { SessionError } from './errors.js';
import { ResultCache } from './result_cache.js';
import { markedArguments } from './tool_headers.js';

/** @import { JsonObject, ListOptions, RequestOptions } from '../index.js' */
/** @import { KnownTool } from './types.js' */

const MAX_PAGES = 100;

/** What a client knows of what its server has. */
export class Catalog {
  #request;
  #stateless;
  #headers;
  /** @type {Map<string, KnownTool>} */
  #tools = new Map();
  /** The tools are listed anew. @type {Promise<unknown> | undefined} */
  #refresh;

  /**
   * @param {() => number} now
   * @param {(method: string, params?: JsonObject, options?: RequestOptions) => Promise<any>} request
   * @param {() => boolean} stateless
   * @param {boolean} headers whether there are headers, for a stateless server to want
   */
  constructor(now, request, stateless, headers) {
    this.cache = new ResultCache(now);
    this.#request = request;
    this.#stateless = stateless;
    this.#headers = headers;
  }

  /** @param {string} name */
  tool(name) {
    return this.#tools.get(name);
  }

  /** @param {ListOptions} [options] */
  async listTools(options) {
    return this.#learn(await this.list('tools', options));
  }

  /** Lists the tools anew, once for all who want it meanwhile. */
  refresh() {
    return (this.#refresh ??= this.listTools({ cache: 'reload' }).finally(() => {
      this.#refresh = undefined;
    }));
  }

  /** @param {string} what @param {ListOptions} [options] @param {string} [member] @returns {Promise<any[]>} */
  list(what, options, member = what) {
    const method = `${what}/list`;
    return this.#kept(method, options, async (rest) => {
      const items = [];
      let ttl = Infinity;
      /** @type {JsonObject | undefined} */
      let params;
      for (let page = 0; page < MAX_PAGES; ++page) {
        const result = await this.#request(method, params, rest);
        if (!Array.isArray(result[member])) throw new SessionError('PEER', 'the list is none');
        items.push(...result[member]);
        ttl = Math.min(ttl, result.ttlMs ?? 0);
        if (typeof result.nextCursor !== 'string') return [items, ttl];
        params = { cursor: result.nextCursor };
      }
      throw new SessionError('TOO_LARGE', 'the list has too many pages');
    });
  }

  /** @param {string} uri @param {ListOptions} [options] */
  read(uri, options) {
    return this.#kept(`resources/read ${uri}`, options, async (rest) => {
      const result = await this.#request('resources/read', { uri }, rest);
      return [result, result.ttlMs];
    });
  }

  /**
   * What the server lets us keep, or what `ask` answers, with how long it may be kept.
   * @param {string} key @param {ListOptions | undefined} options
   * @param {(options: RequestOptions) => Promise<[any, any]>} ask
   */
  async #kept(key, { cache, ...options } = {}, ask) {
    const kept = cache !== 'reload' && this.cache.find(key);
    if (kept) return kept;
    const { changes } = this.cache;
    const [value, ttl] = await ask(options);
    if (this.#stateless()) this.cache.keep(key, value, ttl, changes);
    return value;
  }

  /** What calls need to know; without the tools that no headers can follow. @param {any[]} tools */
  #learn(tools) {
    this.#tools.clear();
    return tools.filter(({ name, annotations: hints, inputSchema }) => {
      const marked = this.#headers && this.#stateless() ? markedArguments(inputSchema) : [];
      const repeatable = (hints?.readOnlyHint || hints?.idempotentHint) === true;
      if (marked) this.#tools.set(name, { repeatable, marked });
      return marked;
    });
  }
}
