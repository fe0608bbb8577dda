// The records in a snapshot of a store (src/mcp_session/store/record_snapshot.cc): a head, the last
// version, then each record. Numbers have eight bytes, little-endian.

/**
 * @typedef {object} KeptRecord
 * @property {string} owner
 * @property {string} kind
 * @property {string} id
 * @property {number} size of its data, in bytes
 * @property {number} left milliseconds until its end, if nobody uses it
 * @property {number} [unused] milliseconds since it was used, if that is what ends it
 */

const HEAD = 'mcp-session records 1\n';

/** @param {Uint8Array} bytes @returns {KeptRecord[]} */
export function recordsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let at = 0;
  const number = () => Number(view.getBigUint64((at += 8) - 8, true));
  /** @param {number} length */
  const text = (length) => decoder.decode(bytes.subarray(at, (at += length)));
  if (text(HEAD.length) !== HEAD) throw new Error('this is no snapshot of a store');
  number();
  /** @type {KeptRecord[]} */
  const records = [];
  while (at < bytes.length) {
    const [left, lifeLeft, idle] = [number(), number(), number()];
    number();
    const [owner, kind, id] = [text(number()), text(number()), text(number())];
    const size = number();
    at += size;
    const byUse = idle > 0 && (lifeLeft === 0 || left < lifeLeft);
    records.push({ owner, kind, id, size, left, unused: byUse ? Math.max(0, idle - left) : undefined });
  }
  return records;
}
