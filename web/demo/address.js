// The address of a server, as people type it.

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$|\.localhost$/;

/** @param {string} host without its port */
export const isLoopback = (host) => LOOPBACK.test(host);

/** @param {string} text @returns {{ url: URL } | { problem: string }} */
export function parseAddress(text) {
  let typed = text.trim();
  if (!typed) return { problem: 'Enter the URL of a server.' };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) {
    const host = /^(\[[^\]]*\]|[^:/?#]*)/.exec(typed)?.[0] ?? '';
    typed = `${isLoopback(host) ? 'http' : 'https'}://${typed}`;
  }
  /** @type {URL} */
  let url;
  try {
    url = new URL(typed);
  } catch {
    return { problem: 'This is not a URL.' };
  }
  if (!/^https?:$/.test(url.protocol)) return { problem: 'Only http and https work in a page.' };
  if (url.username || url.password) {
    return { problem: 'Leave name and password out; a token has a field of its own.' };
  }
  url.hash = '';
  if (location.protocol === 'https:' && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return { problem: 'Browsers let this page, which came by https, call https only.' };
  }
  return { url };
}
