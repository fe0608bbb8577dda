// Tabs: one panel is shown at a time. Arrow keys go from one tab to the next.
import { byId } from './dom.js';

export class Tabs {
  #list;
  /** @type {HTMLElement[]} */
  #tabs;

  /** @param {string} id of the list; a tab says by aria-controls which panel is its own */
  constructor(id) {
    this.#list = byId(id, HTMLElement);
    this.#tabs = [...this.#list.querySelectorAll('[role=tab]')].map((tab) => /** @type {HTMLElement} */ (tab));
    for (const tab of this.#tabs) tab.addEventListener('click', () => this.#select(tab));
    this.#list.addEventListener('keydown', (event) => this.#move(event));
    this.#select(this.#tabs[0]);
  }

  /** Only these are there. @param {string[]} panels ids; the first is shown if what was is gone */
  offer(panels) {
    for (const tab of this.#tabs) tab.hidden = !panels.includes(panelOf(tab).id);
    const shown = this.#tabs.find((tab) => tab.ariaSelected === 'true' && !tab.hidden);
    const first = this.#tabs.find((tab) => !tab.hidden);
    if (!shown && first) this.#select(first);
  }

  /** @param {HTMLElement} chosen */
  #select(chosen) {
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      panelOf(tab).hidden = tab !== chosen;
    }
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const there = this.#tabs.filter((tab) => !tab.hidden);
    const at = there.findIndex((tab) => tab === document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const tab = at < 0 || to === undefined ? undefined : there.at(to % there.length);
    if (!tab) return;
    event.preventDefault();
    this.#select(tab);
    tab.focus();
  }
}

/** @param {HTMLElement} tab */
const panelOf = (tab) => byId(tab.getAttribute('aria-controls') ?? '', HTMLElement);
