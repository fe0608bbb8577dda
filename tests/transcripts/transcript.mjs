// Reads transcripts (README.md has the format), as transcript.cc does. Text becomes bytes here,
// for a body need not be UTF-8.

/**
 * @typedef {object} Step
 * @property {'http' | 'message' | 'pass' | 'gone' | 'open' | 'close' | 'tool'} kind
 * @property {number} line
 * @property {string} name - of the exchange, the channel or the waiting call
 * @property {string} principal
 * @property {string} method
 * @property {[string, Uint8Array][]} headers
 * @property {Uint8Array} text - the body, the message, or what a tool is to do
 * @property {number} time - in milliseconds
 * @property {string[]} expected
 */
/** @typedef {{ options: Record<string, any>, steps: Step[] }} Transcript */
/** @typedef {{ line: number, lines: string[] }} Block */

const encoder = new TextEncoder();
const MARKERS = '><~!#@';
const NAME = /^[a-z0-9_-]+$/;
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const NUMBERS = {
  'max-message-bytes': ['maxMessageBytes'],
  'max-records': ['store', 'maxRecords'],
  'max-record-bytes': ['store', 'maxRecordBytes'],
};
const TIMES = { 'idle-ttl': 'sessionTtl', 'max-life': 'sessionMaxLife' };

/** What stands before the first space, and what after it. @param {string} text @returns {[string, string]} */
function takeWord(text) {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}

/** @param {string} text */
function readTime(text) {
  const found = /^(\d+)(ms|s|m|h)$/.exec(text);
  return found ? Number(found[1]) * UNITS[/** @type {keyof UNITS} */ (found[2])] : undefined;
}

/** @param {Uint8Array[]} parts */
function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A marker's line and what follows it up to the next one, without blank lines at the end. @param {string} text */
function splitBlocks(text) {
  /** @type {Block[]} */
  const blocks = [];
  text.split('\n').forEach((line, index) => {
    const starts = line !== '' && (MARKERS.includes(line[0]) || blocks.length === 0);
    if (starts) blocks.push({ line: index + 1, lines: [] });
    blocks.at(-1)?.lines.push(line);
  });
  for (const { lines } of blocks) while (lines.at(-1) === '') lines.pop();
  return blocks;
}

class Parser {
  /** @type {Transcript} */
  transcript = { options: { name: 'transcript', version: '1' }, steps: [] };
  /** @type {Map<string, string>} */
  variables = new Map();
  /** @type {Map<string, [string, Uint8Array][]>} */
  headerSets = new Map();
  /** @type {Set<string>} */
  channels = new Set();

  /** @param {Block} block */
  parse(block) {
    const marker = block.lines[0][0];
    const head = block.lines[0].slice(1);
    if (marker === '<') return this.parseExpected(block);
    if (marker === '>') return this.parseIn(block, head);
    if (marker === '@' && head.startsWith(' headers ')) return this.parseHeaderSet(block, head);
    if (block.lines.length > 1) throw new Error('lines that belong to nothing follow');
    if (marker === '#') return undefined;
    if (head[0] !== ' ') throw new Error('there must be a space after the first character');
    if (marker === '@') return this.parseOption(head.slice(1));
    if (marker === '~') return this.parsePass(block, head.slice(1));
    if (marker === '!') return this.parseHappening(block, head.slice(1));
    throw new Error(`a line starts with one of ${MARKERS}`);
  }

  /** @param {Block} block */
  parseExpected(block) {
    const step = this.transcript.steps.at(-1);
    if (!step) throw new Error('nothing has happened yet');
    step.expected.push(...block.lines);
  }

  /** @param {string} text */
  parseOption(text) {
    const [name, value] = takeWord(text);
    if (name === 'let') {
      const [variable, meaning] = takeWord(value);
      if (!NAME.test(variable)) throw new Error('let NAME TEXT');
      this.variables.set(variable, meaning);
      return;
    }
    if (this.transcript.steps.length > 0) throw new Error('options come before everything else');
    if (!this.setOption(name, value)) throw new Error('no such option, or not with this value');
  }

  /** @param {string} name @param {string} value */
  setOption(name, value) {
    const { options } = this.transcript;
    if (name in TIMES) {
      const time = readTime(value);
      options[TIMES[/** @type {keyof TIMES} */ (name)]] = time;
      return time !== undefined;
    }
    if (name in NUMBERS) {
      const path = NUMBERS[/** @type {keyof NUMBERS} */ (name)];
      const last = /** @type {string} */ (path.at(-1));
      const holder = path.length === 1 ? options : (options[path[0]] ??= {});
      holder[last] = /^\d+$/.test(value) ? Number(value) : 0;
      return holder[last] !== 0;
    }
    if (name === 'hosts' || name === 'origins') {
      options.hosts ??= { hosts: [], origins: [] };
      options.hosts[name].push(...value.split(' '));
      return true;
    }
    if (name !== 'title' && name !== 'instructions') return false;
    options[name] = value;
    return value !== '';
  }

  /** @param {Block} block @param {string} head */
  parseHeaderSet(block, head) {
    const name = head.slice(' headers '.length);
    if (!NAME.test(name) || name === 'as') throw new Error('headers NAME');
    this.headerSets.set(name, this.parseHeaders(block, block.lines.length));
  }

  /** @param {Block} block @param {Step['kind']} kind @param {string} name */
  addStep(block, kind, name) {
    /** @type {Step} */
    const step = {
      kind,
      line: block.line,
      name,
      principal: '',
      method: '',
      headers: [],
      text: new Uint8Array(),
      time: 0,
      expected: [],
    };
    this.transcript.steps.push(step);
    return step;
  }

  /** @param {Block} block @param {string} head */
  parseIn(block, head) {
    const [name, rest] = takeWord(head);
    if (!NAME.test(name)) throw new Error('a name is a-z 0-9 - _');
    if (!this.channels.has(name)) return this.parseHttp(block, name, rest);
    if (block.lines.length > 1) throw new Error('a message is one line');
    this.addStep(block, 'message', name).text = this.expand(rest);
  }

  /** @param {Block} block @param {string} name @param {string} head */
  parseHttp(block, name, head) {
    const step = this.addStep(block, 'http', name);
    let rest;
    [step.method, rest] = takeWord(head);
    if (step.method === '') throw new Error('NAME METHOD [as PRINCIPAL] [SET...], or an open channel');
    [step.principal, rest] = this.takePrincipal(rest);
    while (rest !== '') {
      let name;
      [name, rest] = takeWord(rest);
      const set = this.headerSets.get(name);
      if (!set) throw new Error('no such headers');
      step.headers.push(...set);
    }
    const { lines } = block;
    const blank = lines.indexOf('') < 0 ? lines.length : lines.indexOf('');
    step.headers.push(...this.parseHeaders(block, blank));
    if (blank + 2 < lines.length) throw new Error('a body is one line');
    if (blank + 1 < lines.length) step.text = this.expand(lines[blank + 1]);
  }

  /** "as NAME" at the front. @param {string} text @returns {[string, string]} */
  takePrincipal(text) {
    return text.startsWith('as ') ? takeWord(text.slice(3)) : ['', text];
  }

  /** The lines of a block from the second to before `end`. @param {Block} block @param {number} end */
  parseHeaders(block, end) {
    return block.lines.slice(1, end).map((line) => {
      const colon = line.indexOf(':');
      if (colon < 0) throw new Error('a header is NAME: VALUE');
      const value = line.slice(colon + 1).replace(/^ /, '');
      return /** @type {[string, Uint8Array]} */ ([line.slice(0, colon), this.expand(value)]);
    });
  }

  /** @param {Block} block @param {string} text */
  parsePass(block, text) {
    const time = readTime(text);
    if (time === undefined) throw new Error('~ TIME, in ms, s, m or h');
    this.addStep(block, 'pass', '').time = time;
  }

  /** @param {Block} block @param {string} text */
  parseHappening(block, text) {
    const [first, rest] = takeWord(text);
    if (first === 'gone' || first === 'close') {
      if (!NAME.test(rest)) throw new Error('gone NAME, close NAME');
      if (first === 'close' && !this.channels.delete(rest)) throw new Error('no such channel');
      this.addStep(block, first, rest);
      return;
    }
    if (first === 'open') {
      const [name, as] = takeWord(rest);
      if (!NAME.test(name)) throw new Error('open NAME [as PRINCIPAL]');
      [this.addStep(block, 'open', name).principal] = this.takePrincipal(as);
      this.channels.add(name);
      return;
    }
    if (!NAME.test(first)) throw new Error('gone, open, close, or the name of a waiting call');
    this.addStep(block, 'tool', first).text = this.expand(rest);
  }

  /** ${NAME} is what let gave it. %{FF 00} is bytes, %{3 * ab} is ababab. @param {string} text */
  expand(text) {
    const parts = text.split(/([$%]\{[^}]*\})/).map((part, index) => {
      if (index % 2 === 0) return encoder.encode(part);
      const inside = part.slice(2, -1);
      const bytes = part[0] === '$' ? this.variable(inside) : this.bytes(inside);
      if (!bytes) throw new Error('no such ${NAME}, or neither %{HEX HEX} nor %{NUMBER * TEXT}');
      return bytes;
    });
    return concat(parts);
  }

  /** @param {string} name */
  variable(name) {
    const meaning = this.variables.get(name);
    return meaning === undefined ? undefined : encoder.encode(meaning);
  }

  /** @param {string} text */
  bytes(text) {
    const times = /^(\d+) \* (.*)$/.exec(text);
    if (times) return encoder.encode(times[2].repeat(Number(times[1])));
    if (!/^[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*$/.test(text)) return undefined;
    return new Uint8Array(text.split(' ').map((byte) => parseInt(byte, 16)));
  }
}

/** An Error's message starts with the number of the line it is about. @param {string} text */
export function parseTranscript(text) {
  const parser = new Parser();
  for (const block of splitBlocks(text)) {
    try {
      parser.parse(block);
    } catch (error) {
      throw new Error(`${block.line}: ${/** @type {Error} */ (error).message}`);
    }
  }
  return parser.transcript;
}
