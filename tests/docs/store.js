// docs/javascript.md: a store of one's own.
import { createSessionStore, load } from 'mcp-session';

const core = await load();
const store = await createSessionStore(core, { defaultTtl: 30 * 60_000 });

const key = { owner: 'alice', kind: 'draft', id: crypto.randomUUID() };
await store.create(key, { text: 'Dear' });
await store.update(key, (record) => ({ text: `${record.json().text} Bob` }));
console.log((await store.get(key)).json());

for await (const record of store.list({ owner: 'alice', kind: 'draft' })) {
  await store.remove({ ...key, id: record.id });
}
console.log(await store.get(key));
await store.close();
