// shared.js -- brokers that share one Redis.
//
//   const [a, b] = await brokers(t, 2);         a.spec as broker.js has it, all.r is the Redis
//   await letsIn(b, 'lamp')                     a device that was registered elsewhere, as soon as it gets in
'use strict';
const path = require('node:path');
const { create, ALL, BUILD } = require('./broker');
const { redis } = require('./service_redis');
const { until } = require('./test');

const LATER = path.join(BUILD, 'tests/later.so');

async function brokers(t, n, { options = {}, plugins = [], server = {} } = {}) {
	const r = await redis(t, server);
	const all = Array.from({ length: n }, () => create(t, { plugins: [...ALL, ...plugins], options: { ...options, core: { store: `${r.url}?timeout=1000`, ...options.core } } }));
	await Promise.all(all.map((b) => b.start()));
	return Object.assign(all, { r });
}
const counters = async (b) => (await b.call('DescribeCounters')).counters;
// Whatever the broker keeps a copy of comes a little later than the answer.
const letsIn = (b, name, options) => until(`${name} to be let in`, () => b.tls(name, options).connect().catch(() => null));

module.exports = { brokers, counters, letsIn, LATER };
