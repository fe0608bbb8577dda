// Arguments that a stateless server wants repeated in headers (spec S-37, S-38): what
// mcp_session/protocol/marked_argument.h and mcp_session/client/tool_catalog.h are in C++.

/** @import { JsonObject } from '../index.js' */

const MARK = 'x-mcp-header';
const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]+$/;
// Keywords whose members are named by the schema's author, and those whose value is no schema.
const NAMES = /^(properties|patternProperties|\$defs|definitions|dependentSchemas)$/;
const DATA = /^(default|const|enum|examples)$/;

/** Whether there is a mark that `properties` alone do not lead to. @param {any} value @param {boolean} named @returns {boolean} */
const hasMark = (value, named = false) =>
  Object(value) === value &&
  Object.entries(value).some(
    ([name, member]) =>
      (!named && !Array.isArray(value) && name === MARK) ||
      ((named || !DATA.test(name)) && hasMark(member, !named && NAMES.test(name))),
  );

/**
 * The marked arguments of a schema, as [path, header]; undefined if clients drop the tool.
 * @param {any} schema @returns {[string[], string][] | undefined}
 */
export function markedArguments(schema) {
  /** @type {[string[], string][]} */
  const found = [];
  const taken = new Set();
  /** @param {any} schema @param {string[]} path @returns {boolean} */
  const collect = (schema, path) => {
    if (Object(schema) !== schema) return true;
    const { properties, [MARK]: mark, ...rest } = schema;
    if (mark !== undefined) {
      const name = String(mark).toLowerCase();
      const fits = path.length && typeof mark === 'string' && HEADER_NAME.test(mark);
      if (!fits || taken.has(name) || !/^(string|integer|boolean)$/.test(schema.type)) return false;
      taken.add(name);
      found.push([path, mark]);
    }
    if (hasMark(rest)) return false;
    return Object.entries(Object(properties)).every(([name, each]) => collect(each, [...path, name]));
  };
  return collect(schema, []) ? found : undefined;
}

/** As it is sent: what a header cannot carry as it is goes as base64. @param {unknown} value */
function headerText(value) {
  const text = String(value);
  if (/^[!-~]([ -~]*[!-~])?$|^$/.test(text) && !/^=\?base64\?.*\?=$/.test(text)) return text;
  const bytes = new TextEncoder().encode(text);
  return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}?=`;
}

/** @param {[string[], string][]} marked @param {JsonObject} args */
export const toolHeaders = (marked, args) =>
  marked.flatMap(([path, header]) => {
    const value = path.reduce((/** @type {any} */ inside, name) => inside?.[name], args);
    const fits = typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
    return fits ? [`Mcp-Param-${header}`, headerText(value)] : [];
  });
