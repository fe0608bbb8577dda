import { load, SessionServer } from './mcp-session/index.js';
import { addTools } from './tools.mjs';

const server = addTools(new SessionServer(await load(), { name: 'worker', version: '1.0' }));
server.connect(self);
postMessage('ready');
