// Forms from JSON Schema: one control for each property of an object schema. What has no control
// of its own kind is typed in as JSON.
import { make } from './dom.js';

/** @typedef {{ [keyword: string]: any }} Schema */
/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */
/** @typedef {{ value: unknown } | { problem: string }} Reading `value` undefined: left out */

const INPUT_TYPES = new Map([
  ['date', 'date'],
  ['email', 'email'],
  ['uri', 'url'],
]);
const LONG_TEXT = 500;

/** The kind of control. What may also be null is just left out then. @param {Schema} schema */
function typeOf(schema) {
  if (choicesOf(schema)) return 'choice';
  const type = Array.isArray(schema.type)
    ? schema.type.filter((one) => one !== 'null').join()
    : schema.type;
  return ['string', 'integer', 'number', 'boolean'].includes(type) ? type : 'json';
}

/** @param {Schema} schema @returns {{ value: unknown, label: string }[] | undefined} */
function choicesOf({ enum: values, enumNames, oneOf }) {
  if (Array.isArray(values)) {
    return values.map((value, i) => ({ value, label: String(enumNames?.[i] ?? value) }));
  }
  if (Array.isArray(oneOf) && oneOf.length && oneOf.every((one) => 'const' in Object(one))) {
    return oneOf.map((one) => ({ value: one.const, label: String(one.title ?? one.const) }));
  }
  return undefined;
}

/** "How many, 1 to 1,000": what the schema says of a value. @param {Schema} schema */
function helpOf({ description = '', minimum, maximum }) {
  const shown = (/** @type {number} */ limit) => limit.toLocaleString('en').replace('-', '\u2212');
  const [low, high] = [typeof minimum === 'number', typeof maximum === 'number'];
  const limits = low && high
    ? `${shown(minimum)} to ${shown(maximum)}`
    : low ? `${shown(minimum)} or more` : high ? `${shown(maximum)} or less` : '';
  const range = limits.replaceAll(' ', '\u00a0');
  if (!description || !range) return String(description || range);
  return `${description}${/[.!?]$/.test(description) ? ' ' : ', '}${range}`;
}

/** One property: its control, and the words around it. */
class Field {
  /** @type {Control} */
  control;
  #schema;
  #type;
  #choices;
  #problem;
  #filled = '';
  /** @type {HTMLDataListElement | undefined} */
  #offers;

  /** @param {string} name @param {Schema} schema @param {boolean} required @param {string} id */
  constructor(name, schema, required, id) {
    this.name = name;
    this.required = required;
    this.#schema = schema;
    this.#type = typeOf(schema);
    this.#choices = choicesOf(schema);
    this.control = this.#makeControl();
    this.control.id = id;
    this.control.name = name;
    this.control.required = required && this.#type !== 'boolean';
    const help = helpOf(schema);
    const described = help ? [`${id}-help`] : [];
    this.#problem = make('p', { class: 'problem', id: `${id}-problem`, hidden: true });
    this.control.setAttribute('aria-describedby', [...described, this.#problem.id].join(' '));
    this.element = this.#type === 'boolean' ? this.#checkbox(id) : this.#labelled(id);
    if (help) this.element.append(make('p', { class: 'help', id: `${id}-help` }, help));
    this.element.append(this.#problem);
    this.control.addEventListener('input', () => this.show(''));
  }

  /** Suggests values. @param {string[]} values */
  suggest(values) {
    if (this.#type !== 'string' || (!values.length && !this.#offers)) return;
    if (!this.#offers) {
      this.#offers = make('datalist', { id: `${this.control.id}-offers` });
      this.element.append(this.#offers);
      this.control.setAttribute('list', this.#offers.id);
    }
    this.#offers.replaceChildren(...values.map((value) => make('option', { value })));
  }

  /** Suggests values, the best first, which is filled in unless something else was typed. @param {string[]} values */
  offer(values) {
    this.suggest(values);
    if (!this.#offers) return;
    this.control.classList.add('code');
    if (this.control.value !== '' && this.control.value !== this.#filled) return;
    this.#filled = values[0] ?? '';
    this.control.value = this.#filled;
    this.show('');
  }

  /** Shows what is wrong; nothing is, if empty. @param {string} problem */
  show(problem) {
    this.#problem.textContent = problem;
    this.#problem.hidden = !problem;
    if (problem) this.control.setAttribute('aria-invalid', 'true');
    else this.control.removeAttribute('aria-invalid');
  }

  /** @returns {Reading} */
  read() {
    const { control } = this;
    if (control instanceof HTMLInputElement && control.type === 'checkbox') {
      const untouched = !control.checked && !this.required && this.#schema.default === undefined;
      return { value: untouched ? undefined : control.checked };
    }
    const problem = this.#complaint();
    if (problem) return { problem };
    const text = control.value;
    if (text === '') return { value: undefined };
    switch (this.#type) {
      case 'choice': return { value: this.#choices?.[Number(text)]?.value };
      case 'integer':
      case 'number': return { value: Number(text) };
      case 'json': return { value: JSON.parse(text) };
      default: return { value: text };
    }
  }

  #complaint() {
    const { validity, value } = this.control;
    const { minimum, maximum, minLength, maxLength, pattern } = this.#schema;
    if (validity.badInput) return 'Enter a number.';
    if (value === '') return this.required ? 'This is needed.' : '';
    if (validity.stepMismatch) return 'Enter a whole number.';
    if (validity.rangeUnderflow) return `Enter ${minimum} or more.`;
    if (validity.rangeOverflow) return `Enter ${maximum} or less.`;
    if (validity.typeMismatch) return `Enter a valid ${this.#schema.format}.`;
    if (this.#type === 'string') {
      // The browser's own check only looks at what was typed.
      const length = [...value].length;
      if (length < minLength) return `Enter ${minLength} characters or more.`;
      if (length > maxLength) return `Enter ${maxLength} characters or fewer.`;
      if (!matches(value, pattern)) return 'This does not have the form that the tool expects.';
    }
    return this.#type === 'json' ? jsonProblem(value) : '';
  }

  /** @returns {Control} */
  #makeControl() {
    const schema = this.#schema;
    const preset = schema.default;
    switch (this.#type) {
      case 'choice': {
        const select = make('select', { class: 'input' });
        if (!this.required || preset === undefined) {
          select.append(make('option', { value: '' }, this.required ? 'Choose' : 'Not set'));
        }
        this.#choices?.forEach(({ value, label }, i) => {
          select.append(make('option', { value: i, selected: value === preset }, label));
        });
        return select;
      }
      case 'boolean':
        return make('input', { type: 'checkbox', checked: preset === true });
      case 'integer':
      case 'number':
        return make('input', {
          class: 'input',
          type: 'number',
          inputmode: this.#type === 'integer' && !(schema.minimum < 0) ? 'numeric' : 'text',
          step: this.#type === 'integer' ? 1 : 'any',
          min: schema.minimum,
          max: schema.maximum,
          value: preset,
        });
      case 'string':
        if (schema.maxLength > LONG_TEXT) {
          return make('textarea', { class: 'input', rows: 3 }, preset ?? '');
        }
        return make('input', {
          class: 'input',
          type: INPUT_TYPES.get(schema.format) ?? 'text',
          autocomplete: 'off',
          spellcheck: 'false',
          value: preset,
        });
      default:
        return make(
          'textarea',
          { class: 'input code', rows: 3, spellcheck: 'false', placeholder: 'JSON' },
          preset === undefined ? '' : JSON.stringify(preset, null, 2),
        );
    }
  }

  /** @param {string} id */
  #labelled(id) {
    const mark = this.required ? [] : [make('span', { class: 'optional' }, 'optional')];
    const label = make('label', { for: id }, this.#schema.title ?? this.name, ...mark);
    return make('div', { class: `field field-${this.#type}` }, label, this.control);
  }

  /** @param {string} id */
  #checkbox(id) {
    const label = make('label', { for: id, class: 'check' }, this.control, this.#schema.title ?? this.name);
    return make('div', { class: 'field field-boolean' }, label);
  }
}

/**
 * A pattern that this browser does not understand is the server's to check.
 * @param {string} text
 * @param {unknown} pattern
 */
function matches(text, pattern) {
  try {
    return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text);
  } catch {
    return true;
  }
}

/** @param {string} text */
function jsonProblem(text) {
  try {
    JSON.parse(text);
    return '';
  } catch {
    return 'This is not JSON.';
  }
}

/** The arguments of a tool. */
export class ArgumentForm {
  /** @param {Schema} schema an object schema @param {string} id of the form, to begin others with */
  constructor(schema, id) {
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    this.fields = Object.entries(schema.properties ?? {}).map(
      ([name, property], i) => new Field(name, Object(property), required.has(name), `${id}-${i}`),
    );
    this.element = make('div', { class: 'fields' }, ...this.fields.map(({ element }) => element));
    this.element.hidden = !this.fields.length;
  }

  /** The arguments; undefined after showing what is wrong with them. */
  read() {
    /** @type {Record<string, unknown>} */
    const values = {};
    /** @type {Field | undefined} */
    let wrong;
    for (const field of this.fields) {
      const reading = field.read();
      field.show('problem' in reading ? reading.problem : '');
      if ('problem' in reading) wrong ??= field;
      else if (reading.value !== undefined) values[field.name] = reading.value;
    }
    wrong?.control.focus();
    return wrong ? undefined : values;
  }

  /** Offers handles in the arguments that take them. @param {(kind: string) => string[]} handlesOf */
  offer(handlesOf) {
    for (const field of this.fields) field.offer(handlesOf(field.name));
  }
}
