// The timeline as a picture: time from left to right, a lane for requests and one for what the server
// sends by itself, and lines through both where a session begins and ends.
import { timeScale } from './time_scale.js';
import { Timeline } from './timeline.js';
import { duration } from './words.js';

/** @typedef {import('./timeline.js').Entry} Entry */
/** @typedef {{ entry: Entry, i: number, x: number, width: number }} Placed */

const SVG = 'http://www.w3.org/2000/svg';
const MARKS = 18;
const TITLE = 18;
const BAR = 14;
const STEP = 17;
const MAX_TRACKS = 4;
const STREAM = 22;
const AXIS = 16;
const MIN_BAR = 3;
const CHARACTER = 6;

/**
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} [attributes]
 * @param {...(Node | string)} children
 */
function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {Entry[]} entries at least one
 * @param {number} width
 * @param {number} now where what goes on ends
 * @param {number} chosen the index of the entry that is marked; -1: none is
 * @returns {SVGElement} each entry is an element with `data-i`, its index
 */
export function timelinePicture(entries, width, now, chosen) {
  const endOf = (/** @type {Entry} */ entry) => entry.end ?? (Timeline.lasts(entry) ? now : entry.start);
  const active = entries
    .filter(({ kind }) => kind !== 'stream')
    .map((entry) => ({ start: entry.start, end: endOf(entry) }));
  const scale = timeScale(active.length ? active : [{ start: entries[0].start, end: now }], width);
  /** @param {(entry: Entry) => boolean} is @returns {Placed[]} */
  const placed = (is) =>
    entries.flatMap((entry, i) => {
      if (!is(entry)) return [];
      const x = scale.x(entry.start);
      return [{ entry, i, x, width: Math.max(scale.x(endOf(entry)) - x, MIN_BAR) }];
    });
  const tracks = intoTracks(placed(({ kind }) => kind === 'request'));
  const streamTop = MARKS + TITLE + Math.max(tracks.length, 1) * STEP + TITLE;
  const bottom = streamTop + STREAM;
  const picture = draw('svg', {
    class: 'picture',
    width,
    height: bottom + AXIS,
    viewBox: `0 0 ${width} ${bottom + AXIS}`,
    'aria-hidden': 'true',
  });
  for (const { from, to, start, end } of scale.breaks) {
    const text = to - from > 30 ? [draw('text', { x: (from + to) / 2, y: bottom + 12, 'text-anchor': 'middle' }, short(end - start))] : [];
    picture.append(draw('rect', { class: 'silence', x: from, y: MARKS, width: to - from, height: bottom - MARKS }), ...text);
  }
  let free = 0;
  for (const one of placed(({ kind }) => kind === 'session')) {
    const { x, entry } = one;
    const length = entry.label.length * CHARACTER;
    const left = x + 4 + length > width;
    const fits = left ? x - 4 - length >= free : x >= free;
    if (fits) free = left ? x + 4 : x + 8 + length;
    picture.append(
      group(
        one,
        draw('line', { x1: x, y1: 2, x2: x, y2: bottom }),
        ...(fits ? [draw('text', { x: left ? x - 4 : x + 4, y: 11, 'text-anchor': left ? 'end' : 'start' }, entry.label)] : []),
      ),
    );
  }
  picture.append(
    draw('text', { x: 0, y: MARKS + 13 }, 'Requests'),
    draw('text', { x: 0, y: streamTop - 5 }, 'Stream and notifications'),
  );
  tracks.forEach((track, row) => picture.append(...track.map((one, at) => bar(one, track[at + 1]?.x ?? width, row))));
  const middle = streamTop + STREAM / 2;
  for (const one of placed(({ kind }) => kind === 'stream')) {
    const line = draw('rect', { class: 'stream', x: one.x, y: middle - 1.5, width: one.width, height: 3, rx: 1.5 });
    picture.append(group(one, line));
  }
  for (const one of placed(({ kind }) => ['notification', 'question', 'broken', 'resuming'].includes(kind))) {
    picture.append(group(one, sign(one, middle)));
  }
  const first = entries[0].start;
  picture.append(
    draw('text', { class: 'axis', x: width, y: bottom + 12, 'text-anchor': 'end' }, short(Math.max(...entries.map(endOf)) - first)),
    draw('text', { class: 'axis', x: 0, y: bottom + 12 }, '0'),
  );
  picture.querySelector(`[data-i="${chosen}"]`)?.classList.add('chosen');
  return picture;
}

/** "850 ms", "34 s", "2 min". @param {number} milliseconds */
function short(milliseconds) {
  if (milliseconds < 10_000) return duration(milliseconds);
  if (milliseconds < 120_000) return `${Math.round(milliseconds / 1000)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

/** Those at the same time below each other; when there are too many, over each other. @param {Placed[]} all */
function intoTracks(all) {
  /** @type {Placed[][]} */
  const tracks = [];
  for (const one of all) {
    const free = tracks.find((track) => {
      const last = track[track.length - 1];
      return last.x + last.width + 1 <= one.x;
    });
    if (free) free.push(one);
    else if (tracks.length < MAX_TRACKS) tracks.push([one]);
    else tracks[MAX_TRACKS - 1].push(one);
  }
  return tracks;
}

/** @param {Placed} placed @param {...Node} children */
function group({ entry, i }, ...children) {
  const { kind, label, outcome, end } = entry;
  const goesOn = Timeline.lasts(entry) && end === undefined ? ' goes-on' : '';
  const shape = draw('g', { class: `mark mark-${kind} ${outcome ?? ''}${goesOn}`, 'data-i': String(i) }, ...children);
  shape.append(draw('title', {}, label));
  return shape;
}

/** @param {Placed} placed @param {number} next where the one after it begins @param {number} row */
function bar(placed, next, row) {
  const { entry, x, width } = placed;
  const y = MARKS + TITLE + row * STEP;
  const length = entry.label.length * CHARACTER + 8;
  const inside = length <= width;
  const beside = !inside && x + width + length <= next;
  const name = draw('text', { class: inside ? 'inside' : 'beside', x: inside ? x + 5 : x + width + 4, y: y + 10.5 }, entry.label);
  return group(
    placed,
    draw('rect', { class: 'bar', x, y, width, height: BAR, rx: Math.min(3, width / 2) }),
    ...(inside || beside ? [name] : []),
  );
}

/** @param {Placed} placed @param {number} y */
function sign({ entry, x }, y) {
  switch (entry.kind) {
    case 'broken': return draw('path', { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` });
    case 'resuming': return draw('circle', { cx: x, cy: y, r: 4.5 });
    case 'question': return draw('path', { d: `M${x} ${y - 5}l5 5l-5 5l-5-5z` });
    default: return draw('circle', { cx: x, cy: y, r: 2.5 });
  }
}
