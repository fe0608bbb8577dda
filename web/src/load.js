import { start, startSync } from './abi.js';

/** @typedef {import('./abi.js').Entropy} Entropy */

/** @type {Entropy} */
const webCrypto = (bytes) => {
  crypto.getRandomValues(bytes);
};

/** @param {unknown} module */
function check(module) {
  if (!(module instanceof WebAssembly.Module)) throw new TypeError('module must be a WebAssembly.Module');
  return module;
}

/**
 * @param {{ module?: WebAssembly.Module, entropy?: Entropy }} options
 * @param {() => Promise<WebAssembly.Module>} compile
 */
export async function loadWith({ module, entropy = webCrypto }, compile) {
  return start(module === undefined ? await compile() : check(module), entropy);
}

/** @param {WebAssembly.Module} module */
export function loadSync(module, { entropy = webCrypto } = {}) {
  return startSync(check(module), entropy);
}

/** @param {string | URL} url */
export async function compileUrl(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.url}: HTTP ${response.status}`);
  // Servers that do not know the type application/wasm are common.
  return WebAssembly.compile(await response.arrayBuffer());
}
