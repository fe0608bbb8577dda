// The origins whose servers speak the handshake era, for all clients of this page or worker
// (spec C-01). Of stateless servers nothing needs to be remembered: what they are asked first is what
// they are.

const MAX_ORIGINS = 100;
/** @type {Set<string>} the oldest first */
const handshake = new Set();

/** @param {URL} url */
export const expectsHandshake = ({ origin }) => handshake.has(origin);

/** @param {URL} url @param {string} era */
export function rememberEra({ origin }, era) {
  handshake.delete(origin);
  if (era !== 'handshake') return;
  handshake.add(origin);
  if (handshake.size > MAX_ORIGINS) handshake.delete(/** @type {string} */ (handshake.keys().next().value));
}
