// What servers send as content: blocks of answers and prompts, and the contents of resources.
// Images and sounds are shown from memory; nothing is loaded from where a server points to.
import { make } from './dom.js';
import { jsonView } from './json.js';
import { valueView } from './values.js';

/** @typedef {import('./mcp-session/index.js').ContentBlock} ContentBlock */
/** @typedef {{ uri?: string, mimeType?: string, text?: string, blob?: string }} Contents */

const IMAGE = /^image\/(avif|bmp|gif|jpeg|png|svg\+xml|webp)$/i;
const SOUND = /^audio\/[a-z0-9.+-]+$/i;
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\b/i;
const MAX_SHOWN = 20_000;
const MAX_BASE64 = 8 << 20;

/** "3 bytes", "12 KiB". @param {number} bytes */
export function sizeInWords(bytes) {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const [amount, unit] = bytes < 1 << 20 ? [bytes / 1024, 'KiB'] : [bytes / (1 << 20), 'MiB'];
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}

/** @param {string} base64 */
const bytesOf = (base64) => Math.floor((base64.replace(/=+$/, '').length * 3) / 4);

/** @param {...(string | undefined)} words */
const inWords = (...words) => words.filter(Boolean).join(', ');

/** @param {string} text */
function textView(text) {
  const left = text.length - MAX_SHOWN;
  const view = make('p', { class: 'text' }, left > 0 ? text.slice(0, MAX_SHOWN) : text);
  if (left > 0) view.append(make('span', { class: 'json-more' }, `\n… ${left} more characters`));
  return view;
}

/**
 * An image or a sound, if this browser can show such a thing.
 * @param {string} base64
 * @param {string} type
 * @param {string} about
 */
function media(base64, type, about) {
  if (base64.length > MAX_BASE64) return undefined;
  const source = `data:${type};base64,${base64}`;
  if (IMAGE.test(type)) return make('img', { src: source, alt: `An image: ${about}` });
  if (!SOUND.test(type)) return undefined;
  return make('audio', { src: source, controls: true, 'aria-label': `A sound: ${about}` });
}

/** With its description below. @param {string} base64 @param {string} type @param {string} about */
function figure(base64, type, about) {
  const shown = media(base64, type, about);
  shown?.addEventListener('error', () => shown.remove());
  const caption = make('figcaption', { class: 'quiet' }, about);
  return make('figure', { class: 'media' }, ...(shown ? [shown] : []), caption);
}

/** @param {Contents} contents @returns {Node[]} */
export function contentsView({ uri, mimeType = '', text, blob }) {
  const size = text === undefined ? bytesOf(blob ?? '') : new TextEncoder().encode(text).length;
  const about = make('p', { class: 'about' }, make('code', {}, uri ?? ''), inWords(mimeType, sizeInWords(size)));
  if (text === undefined) {
    const shown = media(blob ?? '', mimeType, uri ?? mimeType);
    return [about, shown ? make('div', { class: 'media' }, shown) : make('p', { class: 'text quiet' }, 'Not shown.')];
  }
  if (JSON_TYPE.test(mimeType)) {
    try {
      return [about, valueView(JSON.parse(text))];
    } catch {
      // Then it is text, whatever it is called.
    }
  }
  return [about, textView(text)];
}

/** @param {ContentBlock} block @returns {Node[]} */
export function blockView({ type, text, data, mimeType, uri, name, resource, ...rest }) {
  switch (type) {
    case 'text': return [textView(text ?? '')];
    case 'image':
    case 'audio': {
      const about = inWords(type, mimeType || 'of no type', sizeInWords(bytesOf(data ?? '')));
      return [figure(data ?? '', mimeType ?? '', about)];
    }
    case 'resource_link': return [make('p', { class: 'text' }, `${name ?? 'resource'}: ${uri}`)];
    case 'resource': return contentsView(resource ?? {});
    default: return [jsonView({ type, ...rest })];
  }
}
