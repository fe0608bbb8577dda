// ioredis_gets.mjs PORT CALLERS RUNS: gets per second of ioredis as it is when nothing is said, by
// so many callers that each wait for their reply. Each command is written as it is given, on one
// connection, and many are in flight. Prints two numbers: of callers that GET, and of callers that
// ask for PTTL and GET at once, as whoever has to know how long what was read will live.
import Redis from 'ioredis';

const [port, callers, runs] = process.argv.slice(2).map(Number);
const redis = new Redis({ host: '127.0.0.1', port });
const key = (i) => `raw:${i % 1000}`;
const get = (i) => redis.get(key(i));
// A pipeline of the two would be a third slower.
const pttlAndGet = async (i) => (await Promise.all([redis.pttl(key(i)), redis.get(key(i))]))[1];

async function rate(ask) {
  let next = 0;
  const call = async (limit) => {
    while (next < limit) {
      if (await ask(next++) === null) throw new Error('a record is missing');
    }
  };
  const all = (limit) => Promise.all(Array.from({ length: callers }, () => call(limit)));
  await all(runs / 4); // so that what counts is compiled code
  next = 0;
  const start = process.hrtime.bigint();
  await all(runs);
  return runs / (Number(process.hrtime.bigint() - start) * 1e-9);
}
console.log(await rate(get), await rate(pttlAndGet));
redis.disconnect();
