// Values for people: simple ones as lists and tables, the rest as JSON.
import { make } from './dom.js';
import { jsonView } from './json.js';

/** @typedef {{ [member: string]: unknown }} Members */

const MAX_ROWS = 200;

/** @param {unknown} value @returns {value is Members} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param {unknown} value */
const isSimple = (value) => typeof value !== 'object' || value === null;

/** @param {unknown} value */
function simple(value) {
  if (value === '') return make('span', { class: 'value value-none' }, 'empty');
  if (value === null) return make('span', { class: 'value value-none' }, 'null');
  const kind = typeof value === 'string' ? 'text' : 'plain';
  return make('span', { class: `value value-${kind}` }, String(value));
}

/** @param {Members[]} rows @param {string[]} columns */
function table(rows, columns) {
  const kinds = new Map(
    columns.map((column) => [
      column,
      rows.every((row) => typeof row[column] === 'number') ? 'number' : undefined,
    ]),
  );
  const heads = columns.map((column) => make('th', { scope: 'col', class: kinds.get(column) }, column));
  const lines = rows.map((row) =>
    make('tr', {}, ...columns.map((c) => make('td', { class: kinds.get(c) }, simple(row[c])))),
  );
  const head = make('thead', {}, make('tr', {}, ...heads));
  return make('div', { class: 'table' }, make('table', {}, head, make('tbody', {}, ...lines)));
}

/** @param {unknown[]} values @returns {Node} */
function list(values) {
  if (!values.length) return make('span', { class: 'value value-none' }, 'none');
  if (values.length > MAX_ROWS) return jsonView(values);
  if (values.every(isSimple)) {
    return make('ul', { class: 'values' }, ...values.map((value) => make('li', {}, simple(value))));
  }
  const columns = isObject(values[0]) ? Object.keys(values[0]) : [];
  const uniform = values.every(
    (row) =>
      isObject(row) &&
      Object.keys(row).join() === columns.join() &&
      Object.values(row).every(isSimple),
  );
  return uniform && columns.length
    ? table(/** @type {Members[]} */ (values), columns)
    : jsonView(values);
}

/** @param {unknown} value @returns {Node} */
export function valueView(value) {
  if (isSimple(value)) return simple(value);
  if (Array.isArray(value)) return list(value);
  const entries = Object.entries(/** @type {Members} */ (value));
  if (!entries.length) return make('span', { class: 'value value-none' }, 'an empty object');
  return make(
    'dl',
    { class: 'members' },
    ...entries.map(([name, member]) => {
      const short = isSimple(member) || (Array.isArray(member) && !member.length);
      const shown = isObject(member) ? jsonView(member) : valueView(member);
      return make('div', { class: short ? '' : 'wide' }, make('dt', {}, name), make('dd', {}, shown));
    }),
  );
}
