// Types of the inside, for the JavaScript files beside this one.
import type { JsonObject, Progress } from '../index.js';
import type { SessionError } from './errors.js';
import type { StoredRecord } from './store.js';

/** Numbers are sent as f64. */
export type Field = string | Uint8Array | number | undefined;

export interface InFrame {
  kind: number;
  id?: number;
  number?: number;
  fields?: Field[];
}

export interface OutFrame {
  kind: number;
  id: number;
  number: number;
  fields: (Uint8Array | undefined)[];
}

export type Entropy = (bytes: Uint8Array) => void;
export type Fail = (error: unknown) => void;

/** Whom an engine works for. */
export interface Host {
  clock?: () => number;
  apply: (frame: OutFrame) => void;
  died: (error: SessionError) => void;
  /** Whether somebody waits. */
  busy?: () => boolean;
}

/** What a store answered. */
export interface StoreAnswer {
  records: StoredRecord[];
  removed: number;
  cursor: string;
}

/** What IndexedDB has; `iv` if it is encrypted. */
export interface Saved {
  bytes: Uint8Array;
  at: number;
  iv?: Uint8Array<ArrayBuffer>;
}

/** An HTTP request that a server is answering. */
export interface Exchange {
  resolve: (response: Response) => void;
  reject: Fail;
  forget: () => void;
  body?: ReadableStreamDefaultController<Uint8Array>;
}

export interface Waiter {
  resolve: (value?: any) => void;
  reject: Fail;
}

/** A request of a client. */
export interface Call extends Waiter {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  /** What asks for it. */
  frame: InFrame;
}

/** What calls of a tool need to know. */
export interface KnownTool {
  repeatable: boolean;
  marked: [string[], string][];
}

/** What an open client knows. */
export interface Session {
  era: 'handshake' | 'stateless';
  protocolVersion: string;
  sessionId?: string;
  server: JsonObject;
  openedAt: number;
}

/** A Promise that `begin` starts and, once the signal aborts, `leave` ends. */
export type Wait = (
  signal: AbortSignal | undefined,
  begin: (waiter: Waiter) => void,
  leave: (waiter: Waiter) => void,
) => Promise<any>;
