// Where a transcript is played: a server with the test tools on the shipped core.wasm, as stage.cc
// has one on the C++ classes. Drives the package's own way to the core (web/src/abi.js) one level
// below SessionServer: a Request and a Response would put headers in order and in lower case, and
// a transcript is compared as it is.
import * as abi from '../../web/src/abi.js';
import { fail, say, testTools } from './test_tools.mjs';

/** @typedef {import('./transcript.mjs').Step} Step */
/** @typedef {import('./transcript.mjs').Transcript} Transcript */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** 0, 1, 2, ... 255, 0, ..., going on from call to call; what tests/support/counting_entropy.h does. */
export class CountingEntropy {
  next = 0;

  /** @param {Uint8Array} bytes */
  fill = (bytes) => {
    for (let i = 0; i < bytes.length; ++i) bytes[i] = this.next++;
  };
}

/** Each line of it behind a bar; one that does not end behind a bar and a minus. @param {string} bytes */
function chunkLines(bytes) {
  const lines = bytes.split('\n');
  const rest = lines.pop();
  return [...lines.map((line) => (line === '' ? '|' : `| ${line}`)), ...(rest ? [`|-${rest}`] : [])];
}

export class Stage {
  now = 1_000_000;
  lastId = 0;
  /** @type {string[]} */
  lines = [];
  /** @type {{ id: number, name: string }[]} - calls of `steps`, by run */
  waiting = [];
  /** @type {Set<number>} - runs */
  cancelled = new Set();
  /** Those that are open, by name and by number. @type {Map<string, number>} */
  numbers = new Map();
  /** @type {Map<number, string>} */
  names = new Map();

  /** @param {abi.Core} core @param {Transcript} transcript */
  constructor(core, transcript) {
    this.engine = new abi.Engine(core, 'server', transcript.options, {
      clock: () => this.now,
      apply: (frame) => this.apply(frame),
      died: () => {},
    });
    for (const { definition } of testTools) this.engine.addTool(definition);
  }

  close() {
    this.engine.close();
  }

  /** Lets a step happen; what came of it, as lines of a transcript. @param {Step} step */
  play(step) {
    this.lines = [];
    this.happen(step);
    this.waiting = this.waiting.filter(({ id, name }) => {
      if (this.cancelled.has(id)) this.lines.push(`<! cancelled ${name}`);
      return !this.cancelled.has(id);
    });
    return this.lines;
  }

  /** @param {Step} step */
  happen(step) {
    const number = this.numbers.get(step.name) ?? 0;
    switch (step.kind) {
      case 'http': {
        if (number) return this.lines.push('<! still open');
        const headers = step.headers.flat();
        const fields = [step.method, step.principal, step.text, ...headers];
        return this.tell({ kind: abi.HTTP_REQUESTED, id: this.open(step.name), fields });
      }
      case 'message':
        return this.tell({ kind: abi.MESSAGE_ARRIVED, id: number, fields: [step.text] });
      case 'pass':
        this.now += step.time;
        return this.tell({ kind: abi.WOKEN });
      case 'open':
        return this.tell({ kind: abi.CHANNEL_OPENED, id: this.open(step.name), fields: [step.principal] });
      case 'gone':
      case 'close':
        if (!number) return this.lines.push('<! not open');
        this.over(step.name, number);
        return this.tell({ kind: step.kind === 'gone' ? abi.EXCHANGE_CLOSED : abi.CHANNEL_CLOSED, id: number });
      case 'tool':
        if (!this.drive(step.name, decoder.decode(step.text))) this.lines.push('<! no such call');
        return undefined;
    }
  }

  /** @param {string} name */
  open(name) {
    this.numbers.set(name, ++this.lastId);
    this.names.set(this.lastId, name);
    return this.lastId;
  }

  /** @param {string} name @param {number} number */
  over(name, number) {
    this.numbers.delete(name);
    this.names.delete(number);
  }

  /** @param {import('../../web/src/types.js').InFrame} frame */
  tell(frame) {
    this.engine.handle(frame, (error) => this.lines.push(`<! ${error}`));
  }

  /** @param {import('../../web/src/types.js').OutFrame} frame */
  apply(frame) {
    const { kind, id, number: status, fields } = frame;
    if (kind === abi.TOOL_CALLED) return this.run(frame);
    if (kind === abi.TOOL_CANCELLED) return this.cancelled.add(id);
    if (kind === abi.ERROR) return this.lines.push(`<! ${abi.failure(frame)}`);
    const name = this.names.get(id);
    if (name === undefined) return undefined;  // the client is gone
    const text = (/** @type {number} */ index) => decoder.decode(fields[index]);
    const headers = (/** @type {number} */ first) =>
      abi.headers(frame, first).map(([header, value]) => `${header}: ${value}`);
    switch (kind) {
      case abi.SEND:
        return this.lines.push(`<${name} ${text(0)}`);
      case abi.HTTP_RESPOND:
        this.over(name, id);
        this.lines.push(`<${name} ${status}`, ...headers(1));
        return text(0) && this.lines.push('', text(0));
      case abi.HTTP_STREAM:
        return this.lines.push(`<${name} ${status} stream`, ...headers(0));
      case abi.HTTP_CHUNK:
        return this.lines.push(`<${name} chunk`, ...chunkLines(text(0)));
      case abi.HTTP_END:
        this.over(name, id);
        return this.lines.push(`<${name} end`);
      default:
        return this.lines.push(`<! a frame of kind ${kind}`);
    }
  }

  /** @param {import('../../web/src/types.js').OutFrame} frame */
  run(frame) {
    const { id, fields } = frame;
    const tool = testTools.find(({ definition }) => definition.name === abi.text(fields[0]));
    const args = abi.json(frame, 1);
    if (!tool?.handler) {
      this.waiting.push({ id, name: typeof args.as === 'string' ? args.as : 'steps' });
      return undefined;
    }
    let number = 0;
    const call = {
      state: abi.json(frame, 2),
      handle: abi.text(fields[3]),
      handles: abi.json(frame, 4),
      endHandle: () => (number = 1),
    };
    const result = JSON.stringify(tool.handler(args, call));
    const state = call.state && JSON.stringify(call.state);
    return this.tell({ kind: abi.TOOL_REPLIED, id, number, fields: [result, state] });
  }

  /** What a transcript makes a waiting call do. @param {string} name @param {string} deed */
  drive(name, deed) {
    const call = this.waiting.find((waiting) => waiting.name === name);
    if (!call) return false;
    const [, what, rest] = /** @type {RegExpExecArray} */ (/^(\S*) ?(.*)$/.exec(deed));
    if (what === 'progress') {
      const found = /^(-?\d+)(?: of (-?\d+))?(?: (.*))?$/.exec(rest);
      if (!found) return false;
      const total = found[2] === undefined ? undefined : Number(found[2]);
      this.tell({ kind: abi.TOOL_PROGRESS, id: call.id, fields: [Number(found[1]), total, found[3]] });
      return true;
    }
    if (what !== 'reply' && what !== 'fail') return false;
    this.waiting.splice(this.waiting.indexOf(call), 1);
    const result = JSON.stringify(what === 'fail' ? fail(rest) : say(rest));
    this.tell({ kind: abi.TOOL_REPLIED, id: call.id, fields: [result] });
    return true;
  }
}
