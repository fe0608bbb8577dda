// The official TypeScript SDK is asked by tools of the server of the conformance suite: 1.x, and
// 2.x in both eras.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';

import { runServer } from './everything.mjs';

const server = runServer(process.argv[2]);
const info = { name: 'sdk-test', version: '1.0' };
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const v2 = (options) => ({
  Http: HttpV2,
  make: () => new ClientV2(info, { capabilities, ...options }),
  handle: (client, method, handler) => client.setRequestHandler(method, handler),
  call: (client, params) => client.callTool(params),
});
const SCHEMAS = {
  'elicitation/create': ElicitRequestSchema,
  'sampling/createMessage': CreateMessageRequestSchema,
  'roots/list': ListRootsRequestSchema,
};
const KINDS = {
  'sdk 1.x': {
    Http: HttpV1,
    make: () => new ClientV1(info, { capabilities }),
    handle: (client, method, handler) => client.setRequestHandler(SCHEMAS[method], handler),
    call: (client, params) => client.callTool(params),
  },
  'client 2.x, handshake': v2({}),
  'client 2.x, stateless': v2({ versionNegotiation: { mode: { pin: '2026-07-28' } } }),
};

for (const [name, kind] of Object.entries(KINDS)) {
  describe(name, { timeout: 60_000 }, () => {
    let client;
    let elicit;
    before(async () => {
      client = kind.make();
      kind.handle(client, 'elicitation/create', ({ params }) => elicit(params));
      kind.handle(client, 'sampling/createMessage', ({ params }) => ({
        role: 'assistant',
        content: { type: 'text', text: `sampled: ${params.messages[0].content.text}` },
        model: 'test-model',
      }));
      kind.handle(client, 'roots/list', () => ({ roots: [{ uri: 'file:///work', name: 'Work' }] }));
      await client.connect(new kind.Http(server.url));
    });
    after(() => client.close());

    const call = async (tool, args = {}) => {
      const result = await kind.call(client, { name: tool, arguments: args });
      assert.ok(!result.isError, JSON.stringify(result));
      return result.content[0].text;
    };

    test('the user fills in a form', async () => {
      elicit = ({ message }) => {
        assert.equal(message, 'What is your name?');
        return { action: 'accept', content: { name: 'Ann' } };
      };
      assert.equal(await call('test_input_required_result_elicitation'), 'Hello, Ann!');
    });

    test('the user declines', async () => {
      elicit = () => ({ action: 'decline' });
      assert.equal(await call('test_elicitation', { message: 'Who?' }), 'answer: {"action":"decline"}');
    });

    test('the model is asked', async () => {
      assert.match(await call('test_sampling', { prompt: 'Say so.' }), /sampled: Say so\./);
    });

    test('two rounds follow each other', async () => {
      elicit = ({ requestedSchema }) => {
        const [field] = Object.keys(requestedSchema.properties);
        return { action: 'accept', content: { [field]: field === 'name' ? 'Ann' : 'red' } };
      };
      assert.equal(await call('test_input_required_result_multi_round'), 'Ann likes red.');
    });

    test('several questions are asked at once', async () => {
      elicit = () => ({ action: 'accept', content: { name: 'Bob' } });
      assert.equal(await call('test_input_required_result_multiple_inputs'), 'Hello, Bob!');
    });
  });
}
