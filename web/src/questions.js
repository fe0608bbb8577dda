import * as abi from './abi.js';

/** @import { Answers, JsonObject } from '../index.js' */
/** @import { InFrame, OutFrame } from './types.js' */

// What a server may ask, and the capability that lets it.
export const QUESTIONS = {
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
  'sampling/createMessage': 'sampling',
};

/** What a server asks of the application, while it is asked. */
export class Questions {
  #answers;
  #handle;
  /** @type {Map<number, AbortController>} */
  #open = new Map();

  /** @param {Answers} answers @param {(frame: InFrame) => void} handle */
  constructor(answers, handle) {
    this.#answers = answers;
    this.#handle = handle;
  }

  /** The capabilities of what is answered; none: undefined. @returns {JsonObject | undefined} */
  get declared() {
    if (!Object.keys(this.#answers).length) return undefined;
    const kinds = Object.entries(QUESTIONS).filter(([method]) => method in this.#answers);
    return Object.fromEntries(kinds.map(([, kind]) => [kind, kind === 'roots' ? { listChanged: true } : {}]));
  }

  /** @param {OutFrame} frame */
  async ask(frame) {
    const { id } = frame;
    const controller = new AbortController();
    this.#open.set(id, controller);
    let fields;
    try {
      const answer = /** @type {any} */ (this.#answers)[abi.text(frame.fields[0])];
      const result = await answer(abi.json(frame, 1) ?? {}, { signal: controller.signal });
      fields = [JSON.stringify(result ?? {})];
    } catch (error) {
      if (!controller.signal.aborted) console.error(error);
      fields = [undefined, 'the application did not answer'];
    }
    this.#open.delete(id);
    this.#handle({ kind: abi.REPLY, id, fields });
  }

  /** Nobody waits any more. @param {number} [id] default: for all */
  withdraw(id) {
    for (const [each, controller] of this.#open) {
      if (id === undefined || id === each) controller.abort();
    }
  }
}
