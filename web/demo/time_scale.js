// From times to places in a picture. Long silences are shortened, so that a call of milliseconds can
// still be seen in a session of minutes.

/** @typedef {{ start: number, end: number }} Span */
/** @typedef {Span & { from: number, to: number }} Break a shortened silence, and where it is */

const SILENCE = 1_500;
const MARGIN = 150;
const BREAK_WIDTH = 40;

/**
 * @param {Span[]} active in any order, at least one
 * @param {number} width
 */
export function timeScale(active, width) {
  /** @type {Span[]} */
  const busy = [];
  for (const { start, end } of [...active].sort((a, b) => a.start - b.start)) {
    const last = busy.at(-1);
    if (last && start - last.end < SILENCE) last.end = Math.max(last.end, end);
    else busy.push({ start, end });
  }
  for (const span of busy) {
    span.start -= MARGIN;
    span.end += MARGIN;
  }
  const breakWidth = Math.min(BREAK_WIDTH, width / 2 / Math.max(busy.length - 1, 1));
  const time = busy.reduce((sum, { start, end }) => sum + end - start, 0);
  const perMillisecond = (width - breakWidth * (busy.length - 1)) / time;
  /** @type {{ start: number, end: number, from: number, to: number }[]} */
  const pieces = [];
  /** @type {Break[]} */
  const breaks = [];
  let x = 0;
  busy.forEach(({ start, end }, i) => {
    if (i) {
      const silence = { start: busy[i - 1].end, end: start, from: x, to: x + breakWidth };
      breaks.push(silence);
      pieces.push(silence);
      x += breakWidth;
    }
    pieces.push({ start, end, from: x, to: (x += (end - start) * perMillisecond) });
  });
  return {
    breaks,
    /** @param {number} at */
    x(at) {
      const piece = pieces.find(({ end }) => at <= end) ?? pieces[pieces.length - 1];
      const share = (at - piece.start) / (piece.end - piece.start);
      return piece.from + Math.min(Math.max(share, 0), 1) * (piece.to - piece.from);
    },
  };
}
