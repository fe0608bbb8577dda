// URI templates (RFC 6570), as far as values are text: what they ask for, and the URI they make.

/** Operator: what begins it, what is between two, whether values are named, what is not encoded. */
/** @type {Record<string, [first: string, between: string, named: boolean, reserved: boolean]>} */
const OPERATORS = {
  '': ['', ',', false, false],
  '+': ['', ',', false, true],
  '#': ['#', ',', false, true],
  '.': ['.', '.', false, false],
  '/': ['/', '/', false, false],
  ';': [';', ';', true, false],
  '?': ['?', '&', true, false],
  '&': ['&', '&', true, false],
};
const EXPRESSION = /\{([+#./;?&]?)([^{}]*)\}/g;

/** @param {string} list "a,b:3,c*" */
function variables(list) {
  return list.split(',').map((one) => {
    const [, name, length] = /^([^:*]*)(?::(\d+))?\*?$/.exec(one.trim()) ?? [];
    return { name: name ?? '', length: length === undefined ? undefined : Number(length) };
  });
}

/** Its variables, each once. What may be missing from a query is optional. @param {string} template */
export function variablesOf(template) {
  /** @type {Map<string, boolean>} */
  const found = new Map();
  for (const [, operator, list] of template.matchAll(EXPRESSION)) {
    const optional = operator === '?' || operator === '&';
    for (const { name } of variables(list)) {
      if (name) found.set(name, optional && found.get(name) !== false);
    }
  }
  return [...found].map(([name, optional]) => ({ name, optional }));
}

/** @param {string} text */
const strict = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** @param {string} text */
const lenient = (text) => encodeURI(text).replace(/%25([0-9a-f]{2})/gi, '%$1').replace(/%5[BD]/g, decodeURIComponent);

/** What has no value is left out. @param {string} template @param {Record<string, string | undefined>} values */
export function expand(template, values) {
  return template.replace(EXPRESSION, (_, operator, list) => {
    const [first, between, named, reserved] = OPERATORS[operator];
    const parts = variables(list).flatMap(({ name, length }) => {
      const value = values[name];
      if (value === undefined) return [];
      const text = [...value].slice(0, length).join('');
      const encoded = reserved ? lenient(text) : strict(text);
      if (!named) return [encoded];
      return [encoded || operator !== ';' ? `${name}=${encoded}` : name];
    });
    return parts.length ? first + parts.join(between) : '';
  });
}
