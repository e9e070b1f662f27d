// cluster.js -- brokers that carry messages to each other through one Redis, each with a store of its own.
//
//   const [a, b, c] = await cluster(t, url, 3, { topics: 'site/#' });     s = await client(b); await s.subscribe(...)
//   await linked([a, c], s);      from now on what s subscribes to is known at a and c
'use strict';
const { create } = require('./broker');
const { until } = require('./test');

let serial = 0;

// spec.cluster are options of skeeter_cluster; all else is broker.js's. `probe/#` is always carried.
async function cluster(t, url, count, { topics = '', cluster: more = {}, options = {}, plugins = ['core', 'shadow'], ...spec } = {}) {
	const brokers = Array.from({ length: count }, () => create(t, { plugins: [...plugins, 'cluster'], ...spec,
		options: { ...options, cluster: { redis: url, topics: `probe/# ${topics}`.trim(), ...more } } }));
	await Promise.all(brokers.map((b) => b.start()));
	return brokers;
}

const client = (b, options) => b.unix(options).connect();

// Changes of what a client takes arrive in order: when a subscription made now has its message, those before are known too.
async function linked(from, to) {
	for (const b of [].concat(from)) {
		const topic = `probe/${process.pid}/${++serial}`, sender = await client(b);
		await to.subscribe(topic);
		await until(() => `a subscription at ${to.options.path} to be known to ${b.dir}`, async () => {
			if (!to.got(topic).length)
				await sender.publish(topic, '');
			return to.got(topic).length;
		});
		await to.unsubscribe(topic);
		to.inbox = to.inbox.filter((m) => m.topic !== topic);
		await sender.end();
	}
}

const counters = async (b) => (await b.call('DescribeCounters')).counters;

module.exports = { cluster, client, linked, counters };
