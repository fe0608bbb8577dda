// The tools that every transcript's server has (README.md lists them), as test_tools.cc has them.
// A handler is (arguments, { state, handle, handles, endHandle }) => result, as the ABI wants it.

/** @typedef {{ content: { type: string, text: string }[], isError?: boolean, structuredContent?: any }} Result */

/** @param {string} text @returns {Result} */
export const say = (text) => ({ content: [{ type: 'text', text }] });
/** @param {string} text @returns {Result} */
export const fail = (text) => ({ ...say(text), isError: true });

/** @param {any} value @returns {Result} */
const structured = (value) => ({ ...say(JSON.stringify(value)), structuredContent: value });

/** An input schema with these properties, all strings and required. @param {string[]} names */
const strings = (...names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  required: names,
});

/** What is wrong with an argument that must be a string, or nothing. @param {any} args @param {string} name */
function problem(args, name) {
  if (!(name in args)) return fail(`the argument ${name} is missing`);
  if (typeof args[name] !== 'string') return fail(`the argument ${name} must be a string`);
  return undefined;
}

/** Without a handler a call waits for the transcript. @type {{ definition: any, handler?: (args: any, call: any) => Result }[]} */
export const testTools = [
  {
    definition: { name: 'echo', description: 'Says it again.', inputSchema: strings('message') },
    handler: (args) => problem(args, 'message') ?? say(args.message),
  },
  {
    definition: { name: 'count', description: 'Counts in the session.', state: { session: true } },
    handler: (_, { state }) => {
      state.count = (state.count ?? 0) + 1;
      return structured({ count: state.count });
    },
  },
  {
    definition: { name: 'make_box', description: 'Makes a box.', state: { makes: 'box' } },
    handler: (_, call) => {
      call.state.items = [];
      return structured({ box: call.handle });
    },
  },
  {
    definition: {
      name: 'fill_box',
      description: 'Puts an item into a box.',
      inputSchema: strings('box', 'item'),
      state: { takes: 'box' },
    },
    handler: (args, { state }) => {
      const wrong = problem(args, 'item');
      if (wrong) return wrong;
      state.items.push(args.item);
      return structured(state);
    },
  },
  {
    definition: { name: 'list_boxes', description: 'Lists the boxes.', state: { lists: 'box' } },
    handler: (_, { handles }) =>
      structured({
        boxes: handles.map((/** @type {any} */ box) => ({ box: box.handle, expiresInMs: box.expiresIn })),
      }),
  },
  {
    definition: {
      name: 'end_box',
      description: 'Throws a box away.',
      inputSchema: strings('box'),
      state: { takes: 'box' },
    },
    handler: (_, call) => {
      call.endHandle();
      return say('The box is gone.');
    },
  },
  {
    definition: { name: 'fail', description: 'Fails.' },
    handler: () => fail('It went wrong.'),
  },
  {
    definition: {
      name: 'steps',
      description: 'Waits to be told what to do.',
      inputSchema: { type: 'object', properties: { as: { type: 'string' } } },
    },
  },
];
