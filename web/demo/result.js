// What a tool answered, for people.
import { blockView } from './content.js';
import { make } from './dom.js';
import { jsonView } from './json.js';
import { valueView } from './values.js';

/** @typedef {import('./mcp-session/index.js').ToolResult} ToolResult */
/** @typedef {import('./mcp-session/index.js').ContentBlock} ContentBlock */
/**
 * The text repeats the structured value, as the specification asks.
 * @param {ContentBlock} block
 * @param {unknown} value
 */
function repeats({ type, text }, value) {
  if (type !== 'text' || value === undefined) return false;
  try {
    return JSON.stringify(JSON.parse(text ?? '')) === JSON.stringify(value);
  } catch {
    return false;
  }
}

/** @param {ToolResult} result @returns {Node[]} */
export function resultView(result) {
  const { content = [], structuredContent } = result;
  const parts = content.filter((one) => !repeats(one, structuredContent)).flatMap(blockView);
  if (structuredContent !== undefined) parts.push(valueView(structuredContent));
  if (!parts.length) parts.push(make('p', { class: 'text value-none' }, 'An empty answer.'));
  return [...parts, sourceOf(result)];
}

/** The whole of it, folded. @param {unknown} value */
export function sourceOf(value) {
  const json = make('details', { class: 'source' }, make('summary', {}, 'As JSON'));
  json.addEventListener('toggle', () => json.childElementCount > 1 || json.append(jsonView(value)));
  return json;
}
