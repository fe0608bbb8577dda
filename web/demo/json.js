// JSON for people: indented, with its parts told apart.
import { make } from './dom.js';

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MAX_SHOWN = 20_000;

/** @param {unknown} value */
export function jsonView(value) {
  const view = make('pre', { class: 'json' });
  let text = JSON.stringify(value, null, 2) ?? 'nothing';
  const left = text.length - MAX_SHOWN;
  if (left > 0) text = text.slice(0, MAX_SHOWN);
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [token, string, colon] = match;
    const start = match.index ?? 0;
    view.append(text.slice(at, start));
    const kind = string ? (colon ? 'key' : 'string') : 'plain';
    view.append(make('span', { class: `json-${kind}` }, string ?? token), colon ?? '');
    at = start + token.length;
  }
  view.append(text.slice(at));
  if (left > 0) view.append(make('span', { class: 'json-more' }, `\n… ${left} more characters`));
  return view;
}
