// everything_client.mjs URL: what the public conformance suite wants a client to do, with the
// JavaScript package and nothing else. The suite names the scenario in the environment.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [wasm, index] = process.env.MCP_SESSION_PACKAGE.split(path.delimiter);
const { McpClient, load } = await import(pathToFileURL(index));
const core = await load({ module: new WebAssembly.Module(readFileSync(wasm)) });

const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const revision = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

const client = new McpClient(core, {
  name: 'everything-client',
  version: '1.0',
  url: process.argv.at(-1),
  era: revision > '2025-11-25' ? 'stateless' : 'handshake',
  answers: {
    // Accepts what the form begins with.
    'elicitation/create': ({ requestedSchema: { properties = {} } }) => {
      const fields = Object.entries(properties).filter(([, field]) => 'default' in field);
      const content = Object.fromEntries(fields.map(([name, field]) => [name, field.default]));
      return { action: 'accept', content: { ...('confirmed' in properties && { confirmed: true }), ...content } };
    },
  },
});

const scenarios = {
  async tools_call() {
    await client.listTools();
    await client.callTool('add_numbers', { a: 5, b: 3 });
  },
  'elicitation-sep1034-client-defaults': () => client.callTool('test_client_elicitation_defaults'),
  'sse-retry': () => client.callTool('test_reconnection'),
  async 'http-standard-headers'() {
    for (const { name } of await client.listTools()) await client.callTool(name);
    const { resources = [] } = await client.request('resources/list');
    for (const { uri } of resources) await client.request('resources/read', { uri });
    const { prompts = [] } = await client.request('prompts/list');
    for (const { name } of prompts) await client.request('prompts/get', { name });
  },
  async 'http-custom-headers'() {
    await client.listTools();
    for (const call of context.toolCalls) await client.callTool(call.name, call.arguments);
  },
  async 'http-invalid-tool-headers'() {
    for (const { name } of await client.listTools()) await client.callTool(name);
  },
  async 'sep-2322-client-request-state'() {
    await client.listTools();
    await Promise.all([client.callTool('test_mrtr_echo_state'), client.callTool('test_mrtr_unrelated')]);
    await client.callTool('test_mrtr_no_state');
    await client.callTool('test_mrtr_no_result_type');
  },
  async 'json-schema-2020-12-preservation'() {
    const tools = await client.listTools();
    const { inputSchema } = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
    await client.callTool('json_schema_echo', { schema: inputSchema });
  },
};

await (scenarios[scenario] ?? (() => client.listTools()))();
await client.close();
