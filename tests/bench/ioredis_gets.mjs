// ioredis_gets.mjs PORT CALLERS RUNS: gets per second of ioredis as it is when nothing is said, by
// so many callers that each wait for their reply. Prints one number.
import Redis from 'ioredis';

const [port, callers, runs] = process.argv.slice(2).map(Number);
const redis = new Redis({ host: '127.0.0.1', port });
let next = 0;
async function call(limit) {
  while (next < limit) {
    if (await redis.get(`raw:${next++ % 1000}`) === null) throw new Error('a record is missing');
  }
}
const all = (limit) => Promise.all(Array.from({ length: callers }, () => call(limit)));
await all(runs / 4); // so that what counts is compiled code
next = 0;
const start = process.hrtime.bigint();
await all(runs);
console.log(runs / (Number(process.hrtime.bigint() - start) * 1e-9));
redis.disconnect();
