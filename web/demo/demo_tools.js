// The tools of the server in the page. They are those of `mcp-session serve`
// (native/mcp_session/cli/demo_tools.cc), word for word; tests/page compares the two.
import { ToolError } from './mcp-session/index.js';

/** @typedef {import('./mcp-session/index.js').SessionServer} SessionServer */
/** @typedef {import('./mcp-session/index.js').ToolCall} ToolCall */
/** @typedef {{ [name: string]: object }} Properties */
/** @typedef {{ item: string, quantity: number }} Line */

const MAX_QUANTITY = 1000;
const MAX_ITEMS = 100;
const MAX_ITEM_BYTES = 100;

// --- schemas ---------------------------------------------------------------------------------

/** @param {string} description */
const text = (description) => ({ type: 'string', description });

/** @typedef {[minimum: number, maximum: number, otherwise: number]} Range */
/** @param {string} description @param {Range} [range] */
const whole = (description, range) => ({
  type: 'integer',
  description,
  ...(range ? { minimum: range[0], maximum: range[1], default: range[2] } : {}),
});

/** @param {object} items */
const listOf = (items) => ({ type: 'array', items });

/** @param {Properties} [properties] @param {string[]} [required] */
const object = (properties = {}, required = []) => ({
  type: 'object',
  properties,
  ...(required.length ? { required } : {}),
  additionalProperties: false,
});

/** @param {Properties} properties */
const objectWithAll = (properties) => object(properties, Object.keys(properties));

const BASKET = objectWithAll({
  basket: text("The basket's handle"),
  items: listOf(objectWithAll({ item: text('What it is'), quantity: whole('How many') })),
  total: whole('How many things are in the basket'),
});
const BASKET_ARGUMENT = text("The basket's handle, as create_basket returned it");

const READS = { readOnlyHint: true, openWorldHint: false };

/** @param {{ destructive: boolean, idempotent: boolean }} how */
const writes = ({ destructive, idempotent }) => ({
  readOnlyHint: false,
  destructiveHint: destructive,
  idempotentHint: idempotent,
  openWorldHint: false,
});

// --- arguments -------------------------------------------------------------------------------

/**
 * One that may be left out.
 * @param {{ [name: string]: unknown }} args
 * @param {string} name
 * @param {Range} range
 */
function wholeArgument(args, name, [minimum, maximum, otherwise]) {
  const value = args[name];
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new ToolError(`the argument ${name} must be a whole number`);
  }
  if (value < minimum || value > maximum) {
    throw new ToolError(`the argument ${name} must be from ${minimum} to ${maximum}`);
  }
  return value;
}

/** @param {{ [name: string]: unknown }} args */
function itemArgument({ item }) {
  if (item === undefined) throw new ToolError('the argument item is missing');
  if (typeof item !== 'string') throw new ToolError('the argument item must be a string');
  const bytes = new TextEncoder().encode(item).length;
  if (bytes < 1 || bytes > MAX_ITEM_BYTES) {
    throw new ToolError(`the argument item must have 1 to ${MAX_ITEM_BYTES} bytes`);
  }
  return item;
}

// --- the tools -------------------------------------------------------------------------------

// The state of a basket is {"items": [{"item": ..., "quantity": ...}]}.

/** @param {ToolCall} call */
function show({ handle, state }) {
  /** @type {Line[]} */
  const items = state.items ?? [];
  return { basket: handle, items, total: items.reduce((sum, line) => sum + line.quantity, 0) };
}

/** @param {{ [name: string]: unknown }} args @param {ToolCall} call */
function addItem(args, call) {
  const item = itemArgument(args);
  const quantity = wholeArgument(args, 'quantity', [1, MAX_QUANTITY, 1]);
  /** @type {Line[]} */
  const items = (call.state.items ??= []);
  const kept = items.find((line) => line.item === item);
  if (!kept && items.length >= MAX_ITEMS) throw new ToolError('the basket is full');
  if (kept) kept.quantity += quantity;
  else items.push({ item, quantity });
  return show(call);
}

/** Until it is time, or the call was given up. @param {number} delay @param {AbortSignal} signal */
function pause(delay, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

/** @param {{ [name: string]: unknown }} args @param {ToolCall} call */
async function slowCount(args, { signal, progress }) {
  const to = wholeArgument(args, 'to', [1, 100, 5]);
  const delay = wholeArgument(args, 'delay_ms', [0, 2000, 200]);
  for (let at = 1; at <= to; ++at) {
    await pause(delay, signal);
    if (signal.aborted) break;
    progress(at, { total: to, message: `counted to ${at}` });
  }
  return { counted_to: to };
}

/** @param {SessionServer} server */
export function addDemoTools(server) {
  server.tool(
    {
      name: 'create_basket',
      title: 'Create a basket',
      description: 'Makes an empty shopping basket.',
      inputSchema: object(),
      outputSchema: objectWithAll({ basket: text("The new basket's handle") }),
      annotations: writes({ destructive: false, idempotent: false }),
      state: { makes: 'basket' },
    },
    (_, call) => {
      call.state.items = [];
      return { basket: call.handle };
    },
  );
  server.tool(
    {
      name: 'add_item',
      title: 'Add to a basket',
      description: 'Puts things into a basket; more of what is there already adds up.',
      inputSchema: object(
        {
          basket: BASKET_ARGUMENT,
          item: text('What to put in, at most 100 bytes'),
          quantity: whole('How many of it', [1, MAX_QUANTITY, 1]),
        },
        ['basket', 'item'],
      ),
      outputSchema: BASKET,
      annotations: writes({ destructive: false, idempotent: false }),
      state: { takes: 'basket' },
    },
    addItem,
  );
  server.tool(
    {
      name: 'get_basket',
      title: 'Look into a basket',
      description: 'Tells what is in a basket.',
      inputSchema: object({ basket: BASKET_ARGUMENT }, ['basket']),
      outputSchema: BASKET,
      annotations: READS,
      state: { takes: 'basket' },
    },
    (_, call) => show(call),
  );
  server.tool(
    {
      name: 'list_baskets',
      title: 'List baskets',
      description: 'Lists the baskets of this session, or of whoever is logged in.',
      inputSchema: object(),
      outputSchema: objectWithAll({
        baskets: listOf(
          objectWithAll({
            basket: text("The basket's handle"),
            expires_in_seconds: whole('Until it ends, if nobody uses it'),
          }),
        ),
      }),
      annotations: READS,
      state: { lists: 'basket' },
    },
    (_, { handles }) => ({
      baskets: handles.map(({ handle, expiresIn }) => ({
        basket: handle,
        expires_in_seconds: Math.trunc(expiresIn / 1000),
      })),
    }),
  );
  server.tool(
    {
      name: 'end_basket',
      title: 'End a basket',
      description: 'Throws a basket away, with what is in it.',
      inputSchema: object({ basket: BASKET_ARGUMENT }, ['basket']),
      outputSchema: objectWithAll({
        basket: text('The handle it had'),
        ended: { type: 'boolean' },
      }),
      annotations: writes({ destructive: true, idempotent: true }),
      state: { takes: 'basket' },
    },
    (_, call) => {
      call.endHandle();
      return { basket: call.handle, ended: true };
    },
  );
  server.tool(
    {
      name: 'count',
      title: 'Count in the session',
      description:
        'Adds to a counter that belongs to the session, and tells where it is. ' +
        'Needs a session: a client of the stateless revision has none.',
      inputSchema: object({ by: whole('What to add', [-1_000_000, 1_000_000, 1]) }),
      outputSchema: objectWithAll({ count: whole('Where the counter is now') }),
      annotations: writes({ destructive: false, idempotent: false }),
      state: { session: true },
    },
    (args, call) => {
      const by = wholeArgument(args, 'by', [-1_000_000, 1_000_000, 1]);
      const count = (call.state.count ?? 0) + by;
      call.state.count = count;
      return { count };
    },
  );
  server.tool(
    {
      name: 'slow_count',
      title: 'Count slowly',
      description: 'Counts from 1 and reports progress at each number. Can be cancelled.',
      inputSchema: object({
        to: whole('Where to stop', [1, 100, 5]),
        delay_ms: whole('Milliseconds before each number', [0, 2000, 200]),
      }),
      outputSchema: objectWithAll({ counted_to: whole('The last number') }),
      annotations: READS,
    },
    slowCount,
  );
}
