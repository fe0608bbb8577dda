// The JavaScript is what index.d.ts says; it is checked, not run.
import type * as declared from 'mcp-session';
import { Core, loadSync } from '../src/abi.js';
import { McpClient } from '../src/client.js';
import { SessionError, ToolError } from '../src/errors.js';
import { createEventStore } from '../src/event_store.js';
import { openClient } from '../src/open_client.js';
import { SessionServer } from '../src/server.js';
import { createSessionStore } from '../src/store.js';
import { ClientTransport } from '../src/transport.js';

declare const options: any;
const core = new Core(options);

// All but `tool`, which answers the server itself: with Symbol.dispose, which comments cannot give.
export const server: Omit<declared.SessionServer, symbol | 'tool'> = new SessionServer(core, options);
export const tool: (...args: Parameters<declared.SessionServer['tool']>) => unknown =
  new SessionServer(core, options).tool;
export const client: Omit<declared.McpClient, symbol> = new McpClient(core, options);
export const stored: () => Promise<Omit<declared.SessionStore, symbol>> = () => createSessionStore(core);
export const events: (store: declared.SessionStore) => ReturnType<typeof declared.createEventStore> =
  (store) => createEventStore(store, { session: 's' });
export const opened: (options: declared.PersistentClientOptions) => Promise<Omit<declared.McpClient, symbol>> =
  (options) => openClient(core, options);
export const transport: declared.ClientTransport = new ClientTransport(core, options);
export const sessionError: declared.SessionError = new SessionError('PEER', 'x');
export const toolError: declared.ToolError = new ToolError('x');
export const core_: Pick<declared.Core, 'dead' | 'memoryBytes'> = core;
export const load: (...args: Parameters<typeof declared.loadSync>) => unknown = loadSync;
