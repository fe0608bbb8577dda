// Plays the transcripts in a page, and tells the server that served it how they went.
import { playTranscript } from './runner.mjs';

/** @type {string[]} */
const failures = [];
let played = 0;

addEventListener('securitypolicyviolation', (event) => {
  failures.push(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
});

/** @param {string} url */
async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

try {
  const module = await WebAssembly.compile(await (await get('/core.wasm')).arrayBuffer());
  for (const file of await (await get('/transcripts.json')).json()) {
    const text = await (await get(`/${file}`)).text();
    const problem = await playTranscript(module, text).catch((error) => error.stack ?? `${error}`);
    if (problem) failures.push(`${file}: ${problem}`);
    ++played;
  }
} catch (error) {
  failures.push(`${error}`);
}

await fetch('/result', { method: 'POST', body: JSON.stringify({ failures, played }) });
