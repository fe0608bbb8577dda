/**
 * mcp-session: Model Context Protocol servers and clients for pages, workers and Node, on one
 * WebAssembly core. The same file of C++ keeps sessions and state handles here and in the native
 * server.
 *
 * ```js
 * import { load, McpClient, SessionServer } from 'mcp-session';
 *
 * const core = await load();
 * const client = new McpClient(core, { url: '/mcp', name: 'my-page', version: '1.0' });
 * const { content } = await client.callTool('count', {});
 * await client.close();
 * ```
 *
 * Everything here works unchanged in a page, a Worker, a Service Worker and Node 18 or newer. A
 * page with a Content-Security-Policy needs `script-src 'wasm-unsafe-eval'`.
 *
 * Conventions: what may wait returns a Promise; options are one object, last; a wrong argument
 * throws `TypeError`, everything else that goes wrong is a {@link SessionError} with a `code`.
 */

// What programs without the DOM's types, or with those of an older TypeScript, would miss.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
  namespace WebAssembly {
    interface Module {}
  }
}
/** What `new Headers` takes. */
export type HeaderList = ConstructorParameters<typeof Headers>[0];
export type Listener =
  | ((event: Event) => void)
  | { handleEvent(event: Event): void }
  | null;
export type ListenerOptions =
  | boolean
  | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };

// --- loading -------------------------------------------------------------------------------

/** How to get at `core.wasm` and at randomness. */
export interface LoadOptions {
  /** Fills the array it is given. Only for tests: session ids come from it. */
  entropy?: (bytes: Uint8Array) => void;
}

/**
 * Compiles and starts the core. Without `module` or `url` the `core.wasm` beside this package's
 * `index.js` is fetched (Node: read from disk).
 *
 * `module`: an already compiled one, to share it between workers (it can be posted).
 * `url`: where `core.wasm` is, for bundlers that move it:
 * `load({ url: new URL('mcp-session/core.wasm', import.meta.url) })`.
 */
export function load(
  options?: LoadOptions & { module?: WebAssembly.Module; url?: string | URL },
): Promise<Core>;

/** Starts the core from a compiled module, at once. Pages may only compile small ones themselves. */
export function loadSync(module: WebAssembly.Module, options?: LoadOptions): Core;

/**
 * One running core with its own memory. Servers and clients made from the same core share it and
 * its fate: should it ever trap, which is a bug, everything on it fails with `CORE_DEAD`.
 */
export class Core {
  private constructor();
  /** The core trapped. Load a new one. */
  readonly dead: boolean;
  /** Size of its linear memory, which grows and never shrinks. */
  readonly memoryBytes: number;
}

// --- errors --------------------------------------------------------------------------------

/**
 * What went wrong. Most used:
 * `SESSION_NOT_FOUND` the server no longer knows the session (it ended, or the server restarted);
 * `CANCELLED` closed, or aborted by you (`cause` is the signal's reason); `TIMEOUT` no answer in time; `TRANSPORT` the connection
 * failed (see `cause`); `PEER` the other side answered with an error of its own (see `rpc`) or
 * against the protocol; `CORE_DEAD` see {@link Core.dead}.
 */
export type ErrorCode =
  | 'PARSE_ERROR'
  | 'INVALID_REQUEST'
  | 'METHOD_NOT_FOUND'
  | 'INVALID_PARAMS'
  | 'INTERNAL'
  | 'HEADER_MISMATCH'
  | 'MISSING_CAPABILITY'
  | 'UNSUPPORTED_VERSION'
  | 'FORBIDDEN'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'BAD_HEADER'
  | 'SESSION_REQUIRED'
  | 'SESSION_NOT_FOUND'
  | 'TOO_MANY_REQUESTS'
  | 'NOT_FOUND'
  | 'EXPIRED'
  | 'EXISTS'
  | 'CONFLICT'
  | 'FENCED'
  | 'LOCKED'
  | 'LOCK_LOST'
  | 'GAP'
  | 'TOO_LARGE'
  | 'INVALID_ARGUMENT'
  | 'CAPACITY'
  | 'UNAVAILABLE'
  | 'MISCONFIGURED'
  | 'CORRUPT'
  | 'CANCELLED'
  | 'TIMEOUT'
  | 'TRANSPORT'
  | 'PEER'
  | 'CORE_DEAD';

/** A JSON-RPC error as the other side sent it. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Every failure that is not a wrong argument. Its `name` is "SessionError". */
export class SessionError extends Error {
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; rpc?: RpcError });
  readonly code: ErrorCode;
  /** Set when the server answered with a JSON-RPC error. */
  readonly rpc?: RpcError;
}

/**
 * Thrown by a tool's handler: the call fails with this message, and the model reads it (a result
 * with `isError`). Whatever else a handler throws becomes "the tool failed", without details, and
 * an `error` event of the server.
 */
export class ToolError extends Error {
  constructor(message: string);
}

// --- shared --------------------------------------------------------------------------------

/** `handshake`: `initialize` and a session. `stateless`: every request describes itself. */
export type Era = 'handshake' | 'stateless';

/** An event with something to tell. */
export interface SessionEvent<Detail> extends Event {
  readonly detail: Detail;
}

export type JsonObject = { [member: string]: any };

/** A block of a tool's answer: text, image, audio, resource_link, resource. */
export interface ContentBlock {
  type: string;
  text?: string;
  data?: string;
  mimeType?: string;
  uri?: string;
  name?: string;
  resource?: JsonObject;
  annotations?: JsonObject;
  [member: string]: unknown;
}

/** What a tool answers. */
export interface ToolResult {
  content: ContentBlock[];
  structuredContent?: any;
  /** The tool failed, and `content` says why. */
  isError?: boolean;
  [member: string]: unknown;
}

/**
 * What carries messages between two places: a MessagePort, a Worker, the global scope of a
 * dedicated worker (`self`), or anything with these methods.
 *
 * A message is one JSON-RPC message, posted as a string. Objects are understood too, and a peer
 * that posts objects is answered in objects.
 */
export interface Port {
  postMessage(message: any): void;
  addEventListener(type: string, listener: (event: any) => void): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
  /** Called if it is there, as a MessagePort wants it. */
  start?(): void;
}

// --- store ---------------------------------------------------------------------------------

/** How much a store may hold. */
export interface StoreLimits {
  /** Default: 1,000. */
  maxRecords?: number;
  /** Data, keys and overhead. Default: 16 MiB. */
  maxBytes?: number;
  /** Data of one record. Default: 64 KiB. */
  maxRecordBytes?: number;
  /** Of one owner who is not '', all kinds together. Default: 64. */
  maxRecordsPerOwner?: number;
}

export interface StoreOptions extends StoreLimits {
  /** Names the store where it persists: one of each name. Default: ''. */
  prefix?: string;
  /** `ttl` of records that are created without one, in milliseconds. */
  defaultTtl?: number;
  /**
   * Keep it in IndexedDB: what was there is loaded, with the time in between counted, and changes
   * are saved within 200 ms and when the page is left. The store is this page's or worker's alone
   * (Web Locks) until it is closed or the page is gone.
   */
  persist?: boolean;
  /** Encrypt what is kept, by a key of this origin that scripts can use and not read. */
  encrypt?: boolean;
  /** Milliseconds on a clock that never goes back. Default: `performance.now`. */
  clock?: () => number;
}

/** Which record. At most 256 bytes each; `kind` and `id` are not empty. */
export interface RecordKey {
  /** Who may see it. Default: '', whoever knows the id. */
  owner?: string;
  /** 'session', or what an application calls its own. */
  kind: string;
  /** The secret part: at least 128 random bits where it is to keep anybody out. */
  id: string;
}

/** How long a record lives, in milliseconds: one of the first two is needed. At most 30 days. */
export interface RecordLife {
  /** Since the last `get`, `put` or `touch`. */
  ttl?: number;
  /** Since its creation, whatever happens. */
  maxLife?: number;
  /** For how long after its end by time `put` still says `EXPIRED` and not `NOT_FOUND`. */
  remember?: number;
}

/** A record as it was when it was answered. */
export class StoredRecord {
  private constructor();
  readonly id: string;
  readonly data: Uint8Array;
  /** Grows with each `put`, and is never used again for its key. */
  readonly version: number;
  /** Milliseconds until its end, if nobody accesses it. */
  readonly expiresIn: number;
  /** Milliseconds until the end that no access moves. */
  readonly maxLifeLeft: number | undefined;
  text(): string;
  json(): any;
}

export interface SessionStoreEvents {
  /** It could not be saved (`detail`); the next change tries again. Else told to `console.error`. */
  error: SessionEvent<unknown>;
}

/**
 * Records with an owner, a life and a version: the store of the servers in C++, in this page's
 * memory. Data is a Uint8Array, a string, or anything that has a JSON form.
 *
 * Rejects with a {@link SessionError}: `NOT_FOUND`, `EXPIRED`; `EXISTS`; `CONFLICT`, whose
 * `current` is the record as it is; `TOO_LARGE`, `CAPACITY`. No live record is ever dropped to make
 * room. For locks use `navigator.locks`.
 */
export class SessionStore extends EventTarget {
  private constructor();
  /** Makes a record; never in the place of a live one (`EXISTS`). */
  create(key: RecordKey, data: unknown, life?: RecordLife): Promise<StoredRecord>;
  /** Undefined: there is none, or none any more. */
  get(key: RecordKey): Promise<StoredRecord | undefined>;
  /** Replaces the data: with `version`, only if that is the current one (`CONFLICT`). */
  put(key: RecordKey, data: unknown, options?: { version?: number }): Promise<StoredRecord>;
  /**
   * Replaces the data by what `change` makes of the record; nothing leaves it as it is. Runs again
   * on the newer record when somebody else was quicker, five times at most (`CONFLICT`).
   */
  update(key: RecordKey, change: (record: StoredRecord) => unknown): Promise<StoredRecord>;
  /** An access and nothing more. */
  touch(key: RecordKey): Promise<void>;
  /** Whether there was one. */
  remove(key: RecordKey, options?: { version?: number }): Promise<boolean>;
  /** Removes all that an owner has, of every kind; how many there were. */
  removeOwned(owner: string): Promise<number>;
  /** The records of an owner, from the oldest on. */
  list(of: { owner: string; kind: string }): AsyncGenerator<StoredRecord, void, undefined>;
  /** All records, as they are now, in the form that `persist` keeps. */
  snapshot(): Uint8Array;
  /** Saves now what `persist` would save soon. */
  save(): Promise<void>;
  /** Saves, and ends it. Records that do not persist are gone. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a store. Rejects with `LOCKED` if another page or worker has the persistent store of this
 * prefix open, with `CORRUPT`, `CAPACITY` or `TOO_LARGE` if what was kept does not fit.
 */
export function createSessionStore(core: Core, options?: StoreOptions): Promise<SessionStore>;

export interface EventStoreOptions {
  /** The events are this session's alone. Make an event store for each. */
  session: string;
  /** Milliseconds that an event is kept. Default: one hour. */
  ttl?: number;
}

/**
 * An `EventStore` for the Streamable HTTP transports of the official SDK's servers, which then
 * resume streams: events are records of the store, bounded by its limits; the oldest of a stream
 * make room. When the session ends, `store.removeOwned(session)` forgets them.
 */
export function createEventStore(
  store: SessionStore,
  options: EventStoreOptions,
): {
  storeEvent(streamId: string, message: unknown): Promise<string>;
  getStreamIdForEventId(eventId: string): Promise<string | undefined>;
  /** Rejects with `GAP` if the event is not kept any more. */
  replayEventsAfter(
    lastEventId: string,
    to: { send: (eventId: string, message: any) => Promise<void> },
  ): Promise<string>;
};

// --- server --------------------------------------------------------------------------------

export interface SessionServerOptions {
  /** Told to clients as `serverInfo`. */
  name: string;
  version: string;
  title?: string;
  /** For the model. */
  instructions?: string;
  /** Sessions end after this many milliseconds without a request. Default: 30 minutes. */
  sessionTtl?: number;
  /** Sessions end after this many milliseconds whatever happens. Default: 24 hours. */
  sessionMaxLife?: number;
  /**
   * Which `Host` and `Origin` headers {@link SessionServer.fetch} answers. Default: any host, and
   * pages that this host itself served. `'loopback'`: what a server on 127.0.0.1 should answer to,
   * and nothing else. `origins` are admitted besides those whose host is among `hosts`; `'*'` is
   * any. A request without a `Host` header has the one of its URL.
   */
  hosts?: 'loopback' | { hosts?: string[]; origins?: string[] };
  /** Largest message, in bytes; more is answered with 413. Default: 4 MiB. */
  maxMessageBytes?: number;
  /**
   * Where sessions and handles are kept: a store of the same core, which must stay open as long as
   * the server does; or the limits of a store that the server makes and ends with itself.
   */
  store?: SessionStore | StoreLimits;
  /** Milliseconds on a clock that never goes back. Default: `performance.now`. See also `wake`. */
  clock?: () => number;
}

/** A tool as its author describes it. */
export interface ToolDefinition {
  /** 1 to 128 of `A-Z a-z 0-9 _ . -`. */
  name: string;
  title?: string;
  description?: string;
  /** JSON Schema of the arguments, an object schema. Default: any object. */
  inputSchema?: JsonObject;
  /** JSON Schema of `structuredContent`, an object schema. */
  outputSchema?: JsonObject;
  /** `readOnlyHint`, `destructiveHint`, ... */
  annotations?: JsonObject;
  /** The state the tool works on; none without it. */
  state?: StateUse;
}

/**
 * The state a tool works on. It is loaded before the handler runs and, if it was changed, saved
 * before the answer goes out. When somebody else saved it meanwhile, the handler runs again on the
 * newer state, so no write is lost: change nothing but `call.state`. A call that fails saves
 * nothing.
 */
export type StateUse =
  /** The session's own, an empty object at first. Only in the handshake era. */
  | { session: true }
  /**
   * Makes a state handle of this kind, `call.handle`; its state is an empty object at first. It
   * ends after `ttl` milliseconds without use (default 24 h), after `maxLife` whatever happens
   * (default 7 days); for callers that have neither a principal nor a session after `anonymousTtl`
   * at most (default 1 h).
   */
  | { makes: string; ttl?: number; maxLife?: number; anonymousTtl?: number }
  /** Takes the handle that the argument of that name holds; `argument` defaults to the kind. */
  | { takes: string; argument?: string }
  /** `call.handles` lists the caller's handles of this kind. */
  | { lists: string };

/** A state handle of the caller. */
export interface HandleInfo {
  handle: string;
  /** Milliseconds until it ends, if nobody uses it. */
  expiresIn: number;
}

/** One call of a tool, as its handler sees it. */
export interface ToolCall {
  /** The state of {@link StateUse}: change it, or assign another object. Otherwise undefined. */
  state: any;
  /** The handle made or taken. */
  readonly handle?: string;
  /** Of `{ lists }`. */
  readonly handles: HandleInfo[];
  /** `{ takes }`: instead of being saved, the state is removed. */
  endHandle(): void;
  /**
   * Tells the client, if it asked to be told, how far the call is. `progress` must grow from one
   * to the next; what does not is dropped.
   */
  progress(progress: number, options?: { total?: number; message?: string }): void;
  /** Aborts when the client gives the call up. What the handler returns is then ignored. */
  readonly signal: AbortSignal;
  readonly era: Era;
  /** Who the caller was verified to be, as `fetch` or `connect` was told; empty if it was not. */
  readonly principal: string;
}

/**
 * Answers a call. A string is one block of text; an object with `content` or `structuredContent`
 * is the whole result; any other value is `structuredContent`, told as text as well (alone in sessions,
 * whose clients take only objects); nothing is an empty answer. To fail, throw {@link ToolError} or
 * answer with `isError`.
 */
export type ToolHandler<Arguments = any> = (args: Arguments, call: ToolCall) => unknown;

export interface SessionServerEvents {
  /**
   * A handler threw something that is no ToolError (`detail`), or answered with what is no result.
   * It goes to `console.error`, unless a listener calls `preventDefault`.
   */
  error: SessionEvent<unknown>;
}

/** A server: registers tools, answers requests. It keeps sessions and handles in the core's memory. */
export class SessionServer extends EventTarget {
  constructor(core: Core, options: SessionServerOptions);

  /** Registers a tool; tools are listed in this order. `TypeError`: a bad or taken name or schema. */
  tool<Arguments = any>(definition: ToolDefinition, handler: ToolHandler<Arguments>): this;

  /**
   * Answers one HTTP request to the MCP endpoint, whatever its path. Use it as a fetch handler of
   * a Service Worker or of a server that speaks Request and Response.
   *
   * `principal`: who the caller was verified to be; state of one is never seen by another. Never
   * take it from what the request says of itself.
   *
   * Rejects with `CANCELLED` only if `request.signal` aborts or the server was closed.
   */
  fetch(request: Request, options?: { principal?: string }): Promise<Response>;

  /**
   * Serves a peer at the other end of a port until it closes, `close` is called, or the server is
   * closed. Does not close the port. One peer: a client that opens another session on the same port
   * is refused, so give each a port of its own (`MessageChannel`).
   */
  connect(port: Port, options?: { principal?: string }): Connection;

  /** Looks at the clock. Only needed with a `clock` that runs differently than time. */
  wake(): void;

  /** Ends everything: responses are cut off, ports let go, sessions and handles forgotten. */
  close(): void;

  /** The same as `close`. */
  [Symbol.dispose](): void;

  addEventListener<Type extends keyof SessionServerEvents>(
    type: Type,
    listener: (event: SessionServerEvents[Type]) => void,
    options?: ListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: Listener,
    options?: ListenerOptions,
  ): void;
  removeEventListener<Type extends keyof SessionServerEvents>(
    type: Type,
    listener: (event: SessionServerEvents[Type]) => void,
    options?: ListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: Listener,
    options?: ListenerOptions,
  ): void;
}

/** One port being served. */
export interface Connection {
  close(): void;
}

// --- client --------------------------------------------------------------------------------

/** Where the server is: exactly one of `url` and `port`; or `fetch` alone, for one in this program. */
export interface McpClientOptions {
  /** The MCP endpoint. In a page it may be relative. */
  url?: string | URL;
  /** The other end is a server's `connect`. A MessagePort is closed by `close`; others are not. */
  port?: Port;
  /** Instead of the global fetch. `fetch: (request) => server.fetch(request)` needs no network. */
  fetch?: (request: Request) => Promise<Response>;
  /** Added to every request (`authorization`, ...); a function is asked before each one. */
  headers?: HeaderList | (() => HeaderList | Promise<HeaderList>);
  /** Passed to fetch. Default: `same-origin`. */
  credentials?: 'omit' | 'same-origin' | 'include';
  /** Told to servers as `clientInfo`. */
  name: string;
  version: string;
  /**
   * What a server may ask of the application, by the method it asks with: the same functions answer
   * servers of both eras, whether they send a request or answer a call with `input_required`. What
   * is here is declared as a capability.
   */
  answers?: Answers;
  /** Client capabilities to declare, besides or instead of those. Default: none. */
  capabilities?: JsonObject;
  /**
   * Over HTTP, in a session: keep a stream open for what the server says and asks beside calls.
   * Default: if there are `answers`.
   */
  listen?: boolean;
  /** Goes on in the session of an earlier client (`client.session`), without asking the server. */
  session?: SavedSession;
  /** Default `auto`: try the stateless era first, then the handshake. */
  era?: 'auto' | Era;
  /** Milliseconds without an answer or progress after which a request fails. Default: 60 s. */
  requestTimeout?: number;
  /** Milliseconds after which a request fails whatever progress says. Default: 10 minutes. */
  maxRequestTime?: number;
  /** On a port, milliseconds after which silence means a handshake-era server. Default: 5 s. */
  probeTimeout?: number;
  /** Milliseconds on a clock that never goes back. Default: `performance.now`. */
  clock?: () => number;
}

/** Answers a question with its result. What it throws is told to the server as a refusal. */
export type Answer<Params = any, Result = any> = (
  params: Params,
  /** `signal` aborts when nobody waits for the answer any more. */
  options: { signal: AbortSignal },
) => Result | Promise<Result>;

export interface Answers {
  /** A form for the user, or a URL to visit. */
  'elicitation/create'?: Answer<
    { message: string; mode?: string; requestedSchema?: JsonObject; url?: string; [member: string]: any },
    { action: 'accept' | 'decline' | 'cancel'; content?: JsonObject }
  >;
  /** A message of a model. */
  'sampling/createMessage'?: Answer;
  /** The folders that the server may look into. */
  'roots/list'?: Answer<JsonObject, { roots: { uri: string; name?: string }[] }>;
}

/** A session to go on in, as `JSON.stringify` takes it. Holds the session's id: a secret. */
export interface SavedSession {
  form: number;
  revision: string;
  sessionId?: string;
  server: JsonObject;
}

export interface RequestOptions {
  /** Gives the request up: the server is told, and the Promise rejects with `CANCELLED`. */
  signal?: AbortSignal;
  /** Instead of `requestTimeout`. `Infinity`: waits for ever, whatever `maxRequestTime` is. */
  timeout?: number;
  /** Asks for progress. Each call is one notification; `progress` grows. */
  onProgress?: (progress: Progress) => void;
  /**
   * It may be sent again, once, when the connection breaks before the answer. Default: what only
   * reads may, and tools of which the last `listTools` said that they are read-only or idempotent.
   */
  repeatable?: boolean;
}

export interface ListOptions extends RequestOptions {
  /**
   * `reload`: asks the server even if it lets its clients keep what it said (`ttlMs` of the stateless
   * era; a client keeps at most 100 results and 4 Mi characters, until the server says that
   * something changed).
   */
  cache?: 'default' | 'reload';
}

/** What to hear of. */
export interface WantedChanges {
  /** What tools there are. */
  tools?: boolean;
  prompts?: boolean;
  /** What resources and templates there are. */
  resources?: boolean;
  /** What these resources hold. */
  uris?: string[];
}

/**
 * A notification: `notifications/tools/list_changed`, ..., `notifications/resources/updated` with the
 * `uri` in `params`; or `notifications/subscriptions/acknowledged`, with what the server will tell of
 * (`params.notifications`), first and whenever the client listens again: what changed meanwhile was
 * not told, so look at everything again.
 */
export interface Change {
  method: string;
  params?: any;
}

export interface ChangesOptions {
  /** Ends it: the next change rejects with `CANCELLED`. */
  signal?: AbortSignal;
}

export interface Progress {
  progress: number;
  total?: number;
  message?: string;
}

/** A tool as the server describes it. */
export interface ToolInfo {
  name: string;
  title?: string;
  description?: string;
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
  annotations?: JsonObject;
  [member: string]: unknown;
}

/** A resource as the server describes it. */
export interface ResourceInfo {
  uri: string;
  name: string;
  title?: string;
  mimeType?: string;
  [member: string]: unknown;
}

/** Resources whose URIs follow a template of RFC 6570. */
export interface ResourceTemplateInfo {
  uriTemplate: string;
  name: string;
  title?: string;
  mimeType?: string;
  [member: string]: unknown;
}

export interface PromptInfo {
  name: string;
  title?: string;
  description?: string;
  arguments?: { name: string; description?: string; required?: boolean }[];
  [member: string]: unknown;
}

/** One message, as it went over the wire. */
export interface LoggedMessage {
  direction: 'out' | 'in';
  /** The JSON-RPC message; empty for a request without one (`DELETE`, which ends a session). */
  text: string;
  /** `Date.now()`. */
  at: number;
  /** HTTP only: the request it went in or answers, "POST /mcp". */
  via?: string;
  /** HTTP only, `in`: the response's status. */
  status?: number;
}

/** How long the session lives, if the server says so (ours does). */
export interface SessionTtl {
  /** Milliseconds without a request after which it ends. */
  idle: number;
  /** Milliseconds after its start at which it ends whatever happens. */
  maxLife: number;
  /** `Date.now()` at which it ends, if nothing more is asked of it. */
  expiresAt: number;
}

export interface McpClientEvents {
  /** Any notification of the server but progress. */
  notification: SessionEvent<{ method: string; params: any }>;
  /** The live log: every message in both directions. Costs nothing unless listened to. */
  message: SessionEvent<LoggedMessage>;
  /** It is open: the first time, or again in a new session. */
  open: Event;
  /**
   * The server no longer knows the session. What it refused for that reason is asked again in a new
   * one, once; what it may have done already fails.
   */
  sessionlost: Event;
  /** The client is closed, by you or because the port closed. */
  close: Event;
}

/**
 * A client. Opens by itself with the first request, finds out which era the server speaks, and
 * keeps its session.
 */
export class McpClient extends EventTarget {
  constructor(core: Core, options: McpClientOptions);

  /** Opens now, to know that it works. Resolves at once if it is open. */
  connect(options?: { signal?: AbortSignal }): Promise<void>;

  /** All tools, page by page. */
  listTools(options?: ListOptions): Promise<ToolInfo[]>;
  listResources(options?: ListOptions): Promise<ResourceInfo[]>;
  listResourceTemplates(options?: ListOptions): Promise<ResourceTemplateInfo[]>;
  listPrompts(options?: ListOptions): Promise<PromptInfo[]>;

  /** What a resource holds: `contents`, each with `uri` and `text` or `blob`. */
  readResource(uri: string, options?: ListOptions): Promise<JsonObject>;

  /**
   * What changes at the server, as long as somebody reads:
   * `for await (const { method } of client.changes({ tools: true }))`. Goes on by itself after broken
   * streams and in new sessions, ever more rarely if the server is away; rejects if the first try
   * fails. In a session over HTTP the client needs the option `listen`.
   */
  changes(wanted: WantedChanges, options?: ChangesOptions): AsyncGenerator<Change, void>;

  /** `roots/list` would be answered otherwise now: tells the server of a session. */
  rootsChanged(): void;

  /**
   * Calls a tool. A tool that failed is an answer with `isError`, not a rejection. If the server
   * misses headers that a new list of tools tells of, lists them and calls again, once.
   */
  callTool(name: string, args?: JsonObject, options?: RequestOptions): Promise<ToolResult>;

  /** Any other request; resolves with its result. */
  request(method: string, params?: JsonObject, options?: RequestOptions): Promise<any>;

  /**
   * Ends the session at the server and whatever still waits, with `CANCELLED`. Never rejects.
   * `keepSession`: leaves the session as it is, for a client to come (`session`).
   */
  close(options?: { keepSession?: boolean }): Promise<void>;

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Looks at the clock. Only needed with a `clock` that runs differently than time. */
  wake(): void;

  /** Whether it is open. */
  readonly connected: boolean;
  /** These are undefined until the client is open, and again after it was closed or lost. */
  readonly era?: Era;
  /** "2025-11-25" */
  readonly protocolVersion?: string;
  /** A secret: show six characters of it at most. Undefined in the stateless era and on ports. */
  readonly sessionId?: string;
  readonly serverInfo?: { name: string; version: string; title?: string; [member: string]: unknown };
  readonly capabilities?: JsonObject;
  readonly instructions?: string;
  /** What a later client goes on from; undefined with a server of 2024-11-05 over HTTP+SSE. */
  readonly session?: SavedSession;
  /** Handshake era, if the server says how long its sessions live. */
  readonly sessionTtl?: SessionTtl;

  addEventListener<Type extends keyof McpClientEvents>(
    type: Type,
    listener: (event: McpClientEvents[Type]) => void,
    options?: ListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: Listener,
    options?: ListenerOptions,
  ): void;
  removeEventListener<Type extends keyof McpClientEvents>(
    type: Type,
    listener: (event: McpClientEvents[Type]) => void,
    options?: ListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: Listener,
    options?: ListenerOptions,
  ): void;
}

export interface PersistentClientOptions extends McpClientOptions {
  /** Names the session: by the server, and by the user if there are several. */
  persist: string;
  /** Encrypt what is kept, by a key of this origin that scripts can use and not read. */
  encrypt?: boolean;
}

/**
 * A client whose session is kept in IndexedDB. After a reload, and in other tabs, it goes on in the
 * same session and asks the server for none; `close` ends it for all of them, unless it is told to
 * keep it. Waits while another tab opens it (Web Locks).
 *
 * Rejects as `connect` does.
 */
export function openClient(core: Core, options: PersistentClientOptions): Promise<McpClient>;

// --- the official SDK ----------------------------------------------------------------------

/** A JSON-RPC message, as the SDK's transports take and give it. */
export interface JsonRpcMessage {
  jsonrpc: '2.0';
  id?: string | number;
  method?: string;
  params?: JsonObject;
  result?: JsonObject;
  error?: RpcError;
}

/**
 * A transport for `Client` of `@modelcontextprotocol/sdk` 1.x and of `@modelcontextprotocol/client`
 * 2.x. The SDK keeps its face, and the core does the work: it finds out which era the server
 * speaks, so that either SDK talks to servers of both; it keeps the session, opens a new one when
 * the server no longer knows it, and serves ports as well as URLs.
 *
 * ```js
 * const client = new Client({ name: 'my-page', version: '1.0' });
 * await client.connect(new ClientTransport(core, { url: '/mcp' }));
 * ```
 *
 * Name, version and capabilities are those of the SDK's client. Timeouts are left to the SDK unless
 * `requestTimeout` or `maxRequestTime` is given. To a server that speaks 2026-07-28 a client of 1.x
 * has the revision it asked for; `ping` is answered here, and `logging/setLevel` goes with each
 * request. What fails here and not at the server has the JSON-RPC code -32000 and, in `data.code`,
 * an {@link ErrorCode}. `close` ends the session at the server.
 */
export class ClientTransport {
  constructor(core: Core, options: Omit<McpClientOptions, 'name' | 'version' | 'capabilities'>);
  /** A secret: show six characters of it at most. */
  readonly sessionId: string | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: any) => void) | undefined;
  start(): Promise<void>;
  /** Rejects where a request to open fails; any other is answered with its error. */
  send(message: JsonRpcMessage): Promise<void>;
  close(): Promise<void>;
}
