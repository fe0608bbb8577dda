import { McpClient } from './client.js';
import { SessionError } from './errors.js';
import { QUESTIONS } from './questions.js';

/** @import { Core } from './abi.js' */
/** @import { Answer, JsonObject, JsonRpcMessage, McpClientOptions } from '../index.js' */

const META = 'io.modelcontextprotocol/';
// The SDK has timeouts of its own; this one is for calls that it forgot.
const A_DAY = 86_400_000;

export class ClientTransport {
  #core;
  #options;
  /** @type {McpClient | undefined} */
  #client;
  /** @type {Map<unknown, AbortController>} */
  #calls = new Map();
  /** @type {string | undefined} */
  #logLevel;
  #lastQuestion = 0;
  /** @type {Map<unknown, (message: JsonRpcMessage) => void>} */
  #questions = new Map();

  /** @type {(() => void) | undefined} */
  onclose;
  /** @type {((error: Error) => void) | undefined} */
  onerror;
  /** @type {((message: any) => void) | undefined} */
  onmessage;

  /** @param {Core} core @param {Omit<McpClientOptions, 'name' | 'version' | 'capabilities'>} options */
  constructor(core, options) {
    this.#core = core;
    this.#options = { requestTimeout: A_DAY, maxRequestTime: A_DAY, listen: true, ...options };
  }

  get sessionId() {
    return this.#client?.sessionId;
  }

  async start() {}

  /** @param {JsonRpcMessage} message */
  async send(message) {
    const { id, method, params } = message;
    if (method === undefined) return this.#questions.get(id)?.(message);
    if (id === undefined) {
      if (method === 'notifications/cancelled') this.#calls.get(params?.requestId)?.abort();
      if (method === 'notifications/roots/list_changed') this.#client?.rootsChanged();
      return;
    }
    if (method === 'initialize' || method === 'server/discover') {
      this.#answer(id, await this.#open(method, params ?? {}));
    } else {
      // Not awaited: the SDK wants to know that it was sent, not what came of it.
      this.#request(id, method, params);
    }
  }

  async close() {
    if (this.#client) await this.#client.close();
    else this.onclose?.();
  }

  /** @param {string | number} id @param {JsonObject} answer */
  #answer(id, answer) {
    this.onmessage?.({ jsonrpc: '2.0', id, ...answer });
  }

  /**
   * What the SDK is told of a server whose era it need not know.
   * @param {string} method @param {JsonObject} params @returns {Promise<JsonObject>}
   */
  async #open(method, { protocolVersion, clientInfo, capabilities, _meta }) {
    const client = this.#client ?? this.#make(
      clientInfo ?? _meta?.[`${META}clientInfo`],
      capabilities ?? _meta?.[`${META}clientCapabilities`],
    );
    await client.connect();
    const { serverInfo = { name: 'unknown', version: '0' }, instructions } = client;
    const { capabilities: offered = {} } = client;
    const server = { capabilities: offered, instructions };
    if (method === 'initialize') {
      const version = client.era === 'handshake' ? client.protocolVersion : protocolVersion;
      return { result: { protocolVersion: version, serverInfo, ...server } };
    }
    if (client.era === 'handshake') return { error: { code: -32601, message: 'Method not found' } };
    return {
      result: {
        resultType: 'complete',
        supportedVersions: [client.protocolVersion],
        ...server,
        _meta: { [`${META}serverInfo`]: serverInfo },
      },
    };
  }

  /** @param {JsonObject} info @param {JsonObject} capabilities */
  #make({ name, version }, capabilities) {
    const answers = Object.fromEntries(
      Object.entries(QUESTIONS).flatMap(([asked, capability]) => {
        /** @type {Answer} */
        const answer = (params, { signal }) => this.#pass(asked, params, signal);
        return capabilities?.[capability] ? [[asked, answer]] : [];
      }),
    );
    const client = new McpClient(this.#core, {
      ...this.#options,
      name,
      version,
      capabilities,
      answers,
    });
    client.addEventListener('notification', (/** @type {any} */ { detail }) =>
      this.onmessage?.({ jsonrpc: '2.0', ...detail }),
    );
    client.addEventListener('close', () => this.onclose?.());
    this.#client = client;
    return client;
  }

  /** @param {string | number} id @param {string} method @param {JsonObject} [params] */
  async #request(id, method, params) {
    const controller = new AbortController();
    this.#calls.set(id, controller);
    const progressToken = params?._meta?.progressToken;
    /** @param {JsonObject} progress */
    const onProgress = (progress) =>
      this.onmessage?.({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { ...progress, progressToken },
      });
    try {
      const result = await this.#ask(method, params, {
        signal: controller.signal,
        onProgress: progressToken === undefined ? undefined : onProgress,
      });
      this.#answer(id, { result });
    } catch (/** @type {any} */ error) {
      // Whoever gave the call up expects no answer.
      if (controller.signal.aborted) return;
      const { code, message } = error;
      this.#answer(id, { error: error.rpc ?? { code: -32000, message, data: { code } } });
      if (!error.rpc) this.onerror?.(error);
    } finally {
      this.#calls.delete(id);
    }
  }

  /**
   * A question of the server, of either era, as a request to the SDK's client.
   * @param {string} method @param {JsonObject} params @param {AbortSignal} signal
   */
  #pass(method, params, signal) {
    const id = `question-${++this.#lastQuestion}`;
    return new Promise((resolve, reject) => {
      const withdrawn = () => {
        const params = { requestId: id };
        this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
        reject(signal.reason);
      };
      signal.addEventListener('abort', withdrawn);
      this.#questions.set(id, ({ result, error }) => {
        this.#questions.delete(id);
        signal.removeEventListener('abort', withdrawn);
        if (result) resolve(result);
        else reject(new SessionError('PEER', error?.message ?? 'no answer', { rpc: error }));
      });
      this.onmessage?.({ jsonrpc: '2.0', id, method, params });
    });
  }

  /** What only one era has is done for the other. @param {string} method @param {any} params @param {any} options */
  async #ask(method, params, options) {
    const client = /** @type {McpClient} */ (this.#client);
    if (client?.era === 'stateless') {
      if (method === 'ping') return {};
      if (method === 'logging/setLevel') {
        this.#logLevel = params.level;
        return {};
      }
      if (this.#logLevel) {
        const _meta = { [`${META}logLevel`]: this.#logLevel, ...params?._meta };
        return client.request(method, { ...params, _meta }, options);
      }
    }
    return client.request(method, params, options);
  }
}
