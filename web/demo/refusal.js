// Why a connection to a server could not be opened, in words. Browsers do not tell a page why a
// request to another origin failed; what it may know is found out here.
import { explain } from './words.js';

/** @typedef {import('./words.js').Trouble} Trouble */
/**
 * @typedef {object} Attempt
 * @property {URL} url
 * @property {boolean} withToken
 * @property {{ status: number, type: string } | undefined} last response
 */

const PATIENCE = 5_000;

/** Whether anything at all answers there. @param {URL} url */
async function answers(url) {
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    await fetch(url, { method: 'HEAD', mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal });
    return true;
  } catch {
    return false;
  }
}

/** @param {unknown} error @param {Attempt} attempt @returns {Promise<Trouble>} */
export async function explainRefusal(error, { url, withToken, last }) {
  const said = explain(error);
  const code = error instanceof Error && 'code' in error ? error.code : '';
  const foreign = url.origin !== location.origin;
  if (code === 'TRANSPORT' && !last && foreign) {
    if (await answers(url)) {
      return {
        title: 'The server does not let this page in',
        advice:
          `It answers, but not to pages of ${location.origin}. It has to admit that origin (CORS): ` +
          '“mcp-session serve” does with --allow-origin.',
      };
    }
    return {
      title: 'The server cannot be reached',
      advice: `Nothing answers at ${url.host}. See that the server is running, and that the URL is right.`,
    };
  }
  if (last?.status === 401) {
    return withToken
      ? { title: 'The server does not take this token', advice: 'It may have expired, or be for another server.' }
      : { title: 'The server asks for a token', advice: 'Enter one, then connect again.' };
  }
  if (last?.status === 403) {
    return {
      title: 'The server refuses access',
      advice: withToken ? 'The token is not enough for it.' : 'It may want a token, or not take this page.',
    };
  }
  const isNone = last && (/^text\/html/i.test(last.type) || [404, 405, 410, 501].includes(last.status));
  if (isNone && code !== 'SESSION_NOT_FOUND') {
    return {
      title: 'There is no MCP server at this address',
      advice: `${url.host} answers at ${url.pathname}, but not as one. Often the path is /mcp.`,
      detail: `${last.status}${last.type ? `, ${last.type}` : ''}`,
    };
  }
  return said;
}
