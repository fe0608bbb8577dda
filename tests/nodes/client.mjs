// A client that a test can look into: each request has a connection of its own, so that a balancer sends each
// elsewhere; streams are resumed until they have ended; every answer that should not be is an error.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

// Why there was no answer: the connection broke, or the node has no store at the moment. Whether the request
// was carried out is not known.
export class Interrupted extends Error {}

// The next event of a stream: { id, retry, data }.
function parseEvent(text) {
  const event = { data: '' };
  for (const line of text.split('\n')) {
    if (line.startsWith('id:')) event.id = line.slice(3).trim();
    if (line.startsWith('retry:')) event.retry = Number(line.slice(6));
    if (line.startsWith('data:')) event.data += line.slice(5).trim();
  }
  return event;
}

export class Client {
  #url;
  #session;
  #lastId = 0;
  resumptions = 0;

  constructor(url) {
    this.#url = url;
  }

  // One HTTP exchange. `onEvent` gets each event; the body of what is no stream is answered.
  #exchange(method, headers, body, onEvent) {
    return new Promise((resolve, reject) => {
      const request = http.request(this.#url, {
        method,
        agent: false,
        headers: {
          accept: 'application/json, text/event-stream',
          ...(body && { 'content-type': 'application/json' }),
          ...(this.#session && { 'mcp-session-id': this.#session, 'mcp-protocol-version': '2025-11-25' }),
          ...headers,
        },
      });
      request.on('error', (error) => reject(new Interrupted(error.message)));
      request.on('response', (response) => {
        let text = '';
        const isStream = /^text\/event-stream/.test(response.headers['content-type'] ?? '');
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
          for (let end = text.indexOf('\n\n'); isStream && end >= 0; end = text.indexOf('\n\n')) {
            onEvent?.(parseEvent(text.slice(0, end)));
            text = text.slice(end + 2);
          }
        });
        response.on('error', (error) => reject(new Interrupted(error.message)));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, isStream }));
      });
      request.end(body);
    });
  }

  async #post(message, onEvent) {
    const answer = await this.#exchange('POST', {}, JSON.stringify(message), onEvent);
    if (answer.status === 503) throw new Interrupted('503');
    if (answer.status !== 200 && answer.status !== 202) {
      throw new Error(`${message.method}: ${answer.status} ${answer.text}`);
    }
    return answer;
  }

  async open() {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'nodes', version: '1' } };
    const answer = await this.#post({ jsonrpc: '2.0', id: ++this.#lastId, method: 'initialize', params });
    this.#session = answer.headers['mcp-session-id'];
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  // The response of a tools/call, after whatever streams it takes. `onMessage` gets what comes before it.
  async call(name, args, onMessage) {
    const id = ++this.#lastId;
    const message = {
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: args, _meta: { progressToken: id } },
    };
    let response;
    let lastEvent;
    let retry = 0;
    const onEvent = (event) => {
      lastEvent = event.id ?? lastEvent;
      retry = event.retry ?? retry;
      if (event.data === '') return;
      const received = JSON.parse(event.data);
      if (received.id === id) {
        response = received;
      } else {
        onMessage?.(received);
      }
    };
    try {
      const answer = await this.#post(message, onEvent);
      if (!answer.isStream) return JSON.parse(answer.text);
    } catch (error) {
      if (!(error instanceof Interrupted) || lastEvent === undefined) throw error;
    }
    while (response === undefined) {
      if (lastEvent === undefined) throw new Interrupted('no event');
      await sleep(retry);
      this.resumptions += 1;
      try {
        const answer = await this.#exchange('GET', { 'last-event-id': lastEvent }, undefined, onEvent);
        if (answer.status !== 200 && answer.status !== 503) {
          throw new Error(`GET: ${answer.status} ${answer.text}`);
        }
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
    }
    return response;
  }
}
