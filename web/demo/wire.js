// The HTTP under a connection, watched: what was answered last, streams that end and break, and
// streams that go on from an event. The client does all of that by itself; this only sees it.

/** @typedef {{ id: string | number, name: string }} Asked a call, by its id and its tool */
/**
 * @typedef {object} WireNews
 * @property {'opened' | 'ended' | 'broken' | 'resuming' | 'resumed'} what
 * @property {number} at `Date.now()`
 * @property {Asked} [of] the call whose stream it is; without: the session's own
 * @property {string} [from] resuming: the id of the event that was seen last
 */

const MAX_STREAMS = 100;

export class Wire extends EventTarget {
  /** The last response. @type {{ status: number, type: string } | undefined} */
  last;
  /** Streams by the id of their last event. @type {Map<string, Asked | undefined>} */
  #streams = new Map();

  /** What a client takes instead of the global one. @param {Request} request */
  fetch = async (request) => {
    const from = request.headers.get('last-event-id') ?? undefined;
    const of = from === undefined ? await asked(request) : this.#streams.get(from);
    if (from !== undefined) this.#tell('resuming', of, from);
    this.last = undefined;
    const response = await globalThis.fetch(request);
    const type = response.headers.get('content-type') ?? '';
    this.last = { status: response.status, type };
    if (!response.body || !/^text\/event-stream/i.test(type)) return response;
    this.#tell(from === undefined ? 'opened' : 'resumed', of, from);
    return new Response(this.#watch(response.body, of, request.signal), response);
  };

  /** @param {ReadableStream<Uint8Array>} body @param {Asked | undefined} of @param {AbortSignal} signal */
  #watch(body, of, signal) {
    const decoder = new TextDecoder();
    let rest = '';
    let last = '';
    const watched = new TransformStream({
      transform: (chunk, controller) => {
        controller.enqueue(chunk);
        const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const id = /^id: ?(.+)$/.exec(line)?.[1];
          if (id === undefined) continue;
          this.#streams.delete(last);
          this.#streams.set((last = id), of);
        }
        if (this.#streams.size > MAX_STREAMS) this.#streams.delete([...this.#streams.keys()][0]);
      },
    });
    body.pipeTo(watched.writable).then(
      () => this.#tell('ended', of),
      () => this.#tell(signal.aborted ? 'ended' : 'broken', of),
    );
    return watched.readable;
  }

  /** @param {WireNews['what']} what @param {Asked} [of] @param {string} [from] */
  #tell(what, of, from) {
    /** @type {WireNews} */
    const detail = { what, at: Date.now(), of, from };
    this.dispatchEvent(new CustomEvent('news', { detail }));
  }
}

/** The call in a request, if there is one. @param {Request} request @returns {Promise<Asked | undefined>} */
async function asked(request) {
  if (request.method !== 'POST') return undefined;
  try {
    const { id, method, params } = JSON.parse(await request.clone().text());
    return id === undefined ? undefined : { id, name: String(params?.name ?? method) };
  } catch {
    return undefined;
  }
}
