/** @import { ErrorCode, RpcError } from '../index.js' */

export class SessionError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   * @param {{ cause?: unknown, rpc?: RpcError }} [options]
   */
  constructor(code, message, { cause, rpc } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SessionError';
    this.code = code;
    this.rpc = rpc;
  }
}

export class ToolError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'ToolError';
  }
}

/** @template Detail */
export class SessionEvent extends Event {
  /**
   * @param {string} type
   * @param {Detail} detail
   * @param {EventInit} [init]
   */
  constructor(type, detail, init) {
    super(type, init);
    this.detail = detail;
  }
}
