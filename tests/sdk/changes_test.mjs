// The official TypeScript SDK listens for changes, against the server of the conformance suite.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { runServer } from './everything.mjs';

const server = runServer(process.argv[2]);
async function connect(options = {}) {
  const client = new Client({ name: 'sdk-test', version: '1.0' }, {
    versionNegotiation: { mode: { pin: '2026-07-28' } }, ...options,
  });
  await client.connect(new StreamableHTTPClientTransport(server.url));
  return client;
}

// Resolves when the client is told by `method`.
const told = (client, method) => new Promise((resolve) => {
  client.setNotificationHandler(method, ({ params }) => resolve(params));
});

test('listen tells what was asked for', { timeout: 20_000 }, async () => {
  const client = await connect();
  const tools = told(client, 'notifications/tools/list_changed');
  const prompts = told(client, 'notifications/prompts/list_changed');
  const subscription = await client.listen({ toolsListChanged: true, promptsListChanged: true });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  await tools;
  await client.callTool({ name: 'test_trigger_prompt_change', arguments: {} });
  await prompts;
  await subscription.close();
  await client.close();
});

test('a client with listChanged handlers is told of new lists', { timeout: 20_000 }, async () => {
  const listed = [];
  const client = await connect({
    listChanged: { tools: { onChanged: (error, tools) => listed.push({ error, tools }) } },
  });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  while (listed.length === 0) await new Promise((resolve) => { setTimeout(resolve, 10); });
  assert.equal(listed[0].error, null);
  assert.ok(listed[0].tools.some((tool) => tool.name === 'test_trigger_tool_change'));
  await client.close();
});

// Calls the tool until `told` is kept: the SDK opens the session's stream when it likes.
async function until(told, trigger) {
  let done = false;
  told.then(() => { done = true; });
  while (!done) {
    await trigger();
    await Promise.race([told, new Promise((resolve) => { setTimeout(resolve, 200); })]);
  }
}

test('sessions of the SDK 1.x are told, and subscribe', { timeout: 20_000 }, async () => {
  const client = new ClientV1({ name: 'sdk-test', version: '1.0' });
  const tools = new Promise((resolve) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, resolve);
  });
  const updated = new Promise((resolve) => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params));
  });
  await client.connect(new HttpV1(server.url));
  await until(tools, () => client.callTool({ name: 'test_trigger_tool_change', arguments: {} }));
  await client.subscribeResource({ uri: 'test://watched-resource' });
  await client.callTool({ name: 'touch_watched_resource', arguments: {} });
  assert.equal((await updated).uri, 'test://watched-resource');
  await client.unsubscribeResource({ uri: 'test://watched-resource' });
  await client.close();
});

test('sessions of the client 2.x are told, and subscribe', { timeout: 20_000 }, async () => {
  const client = new Client({ name: 'sdk-test', version: '1.0' });
  const prompts = told(client, 'notifications/prompts/list_changed');
  const updated = told(client, 'notifications/resources/updated');
  await client.connect(new StreamableHTTPClientTransport(server.url));
  await until(prompts, () => client.callTool({ name: 'test_trigger_prompt_change', arguments: {} }));
  await client.subscribeResource({ uri: 'test://watched-resource' });
  await client.callTool({ name: 'touch_watched_resource', arguments: {} });
  assert.equal((await updated).uri, 'test://watched-resource');
  await client.close();
});

test('a stop of the server ends a subscription as meant', { timeout: 20_000 }, async () => {
  const client = await connect();
  const subscription = await client.listen({ toolsListChanged: true });
  server.process.kill('SIGTERM');
  assert.equal(await subscription.closed, 'graceful');
  await client.close();
  await once(server.process, 'exit');
});
