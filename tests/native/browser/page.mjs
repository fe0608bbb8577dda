// Talks to a server of another origin, as any page's client would, and tells its own what it saw.
const { url, token } = await (await fetch('/where.json')).json();

const accept = 'application/json, text/event-stream';
const post = (message, headers = {}) => fetch(url, {
  method: 'POST',
  headers: { accept, 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
  body: JSON.stringify({ jsonrpc: '2.0', ...message }),
});

const seen = {};
try {
  const refused = await post({ id: 0, method: 'ping' }, { authorization: '' });
  seen.refused = [refused.status, refused.headers.get('www-authenticate')];
  const clientInfo = { name: 'page', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const opened = await post({ id: 1, method: 'initialize', params });
  const session = opened.headers.get('mcp-session-id');
  seen.session = /^[A-Za-z0-9_-]{22,}$/.test(session ?? '');
  const inSession = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
  seen.pong = await (await post({ id: 2, method: 'ping' }, inSession)).json();
  const counting = await post({
    id: 3,
    method: 'tools/call',
    params: { name: 'slow_count', arguments: { to: 2, delay_ms: 1 }, _meta: { progressToken: 1 } },
  }, inSession);
  seen.stream = [counting.headers.get('content-type'), /"counted_to":2/.test(await counting.text())];
  const ended = await fetch(url, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}`, ...inSession },
  });
  seen.ended = ended.ok;
  seen.unknown = (await post({ id: 4, method: 'ping' }, inSession)).status;
} catch (error) {
  seen.error = `${error}`;
}
await fetch('/result', { method: 'POST', body: JSON.stringify(seen) });
