// The panel with the timeline: the picture, what is chosen in it, and the same as a table.
import { byId, make } from './dom.js';
import { Timeline } from './timeline.js';
import { timelinePicture } from './timeline_picture.js';
import { duration, timeOfMessage } from './words.js';

/** @typedef {import('./timeline.js').Entry} Entry */

const TICK = 250;

/** @type {Record<Entry['kind'], string>} */
const KINDS = {
  request: 'Request',
  stream: 'Stream',
  notification: 'Notification',
  question: 'Question of the server',
  broken: 'Network',
  resuming: 'Network',
  session: 'Session',
};

export class TimelinePanel {
  #timeline;
  #panel = byId('timeline', HTMLDetailsElement);
  #frame = byId('timeline-frame', HTMLElement);
  #chosenText = byId('timeline-chosen', HTMLElement);
  #table = byId('timeline-table', HTMLDetailsElement);
  #rows = byId('timeline-rows', HTMLElement);
  /** @type {Entry | undefined} */
  #chosen;
  #drawing = 0;

  /** @param {Timeline} timeline */
  constructor(timeline) {
    this.#timeline = timeline;
    this.#panel.open = matchMedia('(min-width: 761px)').matches;
    timeline.addEventListener('change', () => this.#drawSoon());
    for (const part of [this.#panel, this.#table]) part.addEventListener('toggle', () => this.#drawSoon());
    new ResizeObserver(() => this.#drawSoon()).observe(this.#frame);
    this.#frame.addEventListener('keydown', (event) => this.#move(event));
    this.#frame.addEventListener('click', ({ target }) => {
      const i = /** @type {Element} */ (target).closest('[data-i]')?.getAttribute('data-i');
      if (i !== null && i !== undefined) this.#choose(Number(i));
    });
    byId('timeline-clear', HTMLButtonElement).addEventListener('click', () => {
      this.#chosen = undefined;
      this.#chosenText.textContent = '';
      timeline.clear();
    });
    setInterval(() => {
      const runs = timeline.entries.some((one) => one.kind === 'request' && one.end === undefined);
      if (runs) this.#drawSoon();
    }, TICK);
  }

  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#draw();
    });
  }

  #draw() {
    const { entries } = this.#timeline;
    this.#panel.hidden = !entries.length;
    if (!entries.length || !this.#panel.open) return;
    const width = this.#frame.clientWidth;
    if (width < 50) return;
    const chosen = this.#chosen ? entries.indexOf(this.#chosen) : -1;
    this.#frame.replaceChildren(timelinePicture(entries, width, Date.now(), chosen));
    if (this.#table.open) this.#rows.replaceChildren(...entries.map(row));
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const last = this.#timeline.entries.length - 1;
    const at = this.#chosen ? this.#timeline.entries.indexOf(this.#chosen) : -1;
    const to = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(Math.min(Math.max(to, 0), last));
  }

  /** @param {number} i */
  #choose(i) {
    const entry = this.#timeline.entries[i];
    if (!entry) return;
    this.#chosen = entry;
    const [time, kind, label, lasted] = words(entry);
    this.#chosenText.textContent = [`${time} ${kind}: ${label}`, lasted].filter(Boolean).join(', ');
    this.#drawSoon();
  }
}

/** @param {Entry} entry */
function words(entry) {
  const { kind, label, start, end, outcome } = entry;
  const how = { failed: ', failed', cut: ', cut off', lost: '' }[outcome ?? 'lost'];
  const lasted = !Timeline.lasts(entry) ? '' : end === undefined ? 'goes on' : duration(end - start) + how;
  return [timeOfMessage(start).join(''), KINDS[kind], label, lasted];
}

/** @param {Entry} entry */
function row(entry) {
  const [, ...rest] = words(entry);
  const [hours, minutes] = timeOfMessage(entry.start);
  const time = make('td', {}, make('span', { class: 'hours' }, hours), minutes);
  return make('tr', {}, time, ...rest.map((text) => make('td', {}, text)));
}
