// What actions send, on its way to a sink (tests/plugins/sink_probe.c): kept over kill -9 and restarts, tried again, in order, refused when there is no room, and dead
// letters when it fails for good.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { BUILD } = require('../../harness/broker');
const { rules, roleArn, PLUGINS, republish } = require('../../harness/rules');

const PROBE = `${BUILD}/tests/sink_probe.so`;
const probe = (name, more = {}) => ({ openSearch: { roleArn, endpoint: `http://${name}`, index: 'ok', type: '${topic()}', id: '${n}', ...more } });

class Sunk {
	constructor(folder) {
		this.folder = folder;
		fs.mkdirSync(folder);
	}

	lines(name = 'a') {
		const file = path.join(this.folder, `${name}.got`);
		// The last line may still be on its way.
		return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map((l) => JSON.parse(l)) : [];
	}
	got(name) { return this.lines(name).filter((l) => l.id); }
	numbers(name) { return this.got(name).map((l) => JSON.parse(l.payload).n); }
	// What is closed cannot be opened, what is down has all of it tried again, what is held has some.
	be(what, name = 'a') { fs.writeFileSync(path.join(this.folder, `${name}.${what}`), ''); }
	beUp(name = 'a') {
		for (const what of ['down', 'closed', 'held'])
			fs.rmSync(path.join(this.folder, `${name}.${what}`), { force: true });
	}
	all(n, name) { return until(() => `${n} items, there are ${this.got(name).length}`, () => new Set(this.got(name).map((l) => l.payload)).size >= n); }
}

async function world(t, spec = {}) {
	const folder = path.join(require('node:os').tmpdir(), `probe-${process.pid}-${Math.random().toString(36).slice(2)}`);
	const s = new Sunk(folder);
	t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
	const r = await rules(t, { ...spec, plugins: [...PLUGINS, PROBE], options: { ...spec.options, [PROBE]: { folder } },
		rules: { retry_least: '10ms', retry_most: '100ms', ...spec.rules } });
	return { r, b: r.b, s };
}
const lanes = async (b) => (await b.call('ListRuleLanes', {})).lanes;
const lane = (b, name, is) => until(() => `lane ${name}`, async () => (await lanes(b)).find((l) => l.lane.includes(name) && is(l)));
const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);
const publishAll = (d, topic, list) => Promise.all(list.map((n) => d.publish(topic, JSON.stringify({ n }), { qos: 1 })));

test('an action reaches its sink with its fields filled in, the payload, who sent it, and an id of its own', async (t) => {
	const { r, b, s } = await world(t);
	await r.make('one', "SELECT n, n * 2 AS two FROM 'in/#'", probe('a', { index: '${n}', type: '${topic(2)}' }));
	const d = await b.device('d');
	await d.publish('in/x', '{"n":1}', { qos: 1 });
	await d.publish('in/y', '{"n":2}', { qos: 1 });
	await s.all(2);
	const [one, two] = ['in/x', 'in/y'].map((topic) => s.got().find((l) => l.topic === topic));
	assert.deepEqual([one.topic, one.client, one.payload, one.fields, one.attempt], ['in/x', 'd', '{"n":1,"two":2}', { index: '1', type: 'x', id: '1' }, 0]);
	assert.match(one.id, /^[0-9a-f]{32}$/);
	assert.notEqual(one.id, two.id);
	const l = await lane(b, 'http://a', (x) => x.delivered === 2 && x.backlogItems === 0 && x.state === 'up'); // the sink has it before it is counted
	assert.deepEqual([l.kind, l.lane, l.state, l.delivered, l.backlogItems], ['openSearch', `http://a ${roleArn}`, 'up', 2, 0]);
});

test('what is sent under one key comes in order while others go on, and what is put off comes again', async (t) => {
	const { r, b, s } = await world(t);
	s.be('held');
	await r.make('keys', "SELECT n FROM 'in/#'", probe('a', { type: '${topic(2)}', index: "${CASE n WHEN 0 THEN 'held' WHEN 200 THEN 'retry-4' ELSE 'ok' END}" }));
	const d = await b.device('d');
	await publishAll(d, 'in/slow', range(50));
	await publishAll(d, 'in/fast', range(50, 100));
	await d.publish('in/again', '{"n":200}');
	await s.all(51);
	assert.deepEqual(s.got().filter((l) => l.topic === 'in/slow'), []);
	s.beUp();
	await s.all(101);
	const under = (topic) => s.got().filter((l) => l.topic === topic).map((l) => JSON.parse(l.payload).n);
	assert.deepEqual(under('in/slow'), range(50));
	assert.deepEqual(under('in/fast'), range(50, 100));
	assert.equal(s.got().find((l) => l.payload === '{"n":200}').attempt, 4);
	assert.ok(s.got().find((l) => l.payload === '{"n":0}').attempt > 0);
});

test('a sink that is down gets everything when it is up again, and one that is dead costs the one beside it nothing', async (t) => {
	const { r, b, s } = await world(t);
	s.be('down', 'dead');
	await r.make('dead', "SELECT n FROM 'in'", probe('dead'));
	await r.make('alive', "SELECT n FROM 'in'", probe('alive'));
	const d = await b.device('d'), began = Date.now();
	await publishAll(d, 'in', range(300));
	await s.all(300, 'alive');
	assert.deepEqual(s.numbers('alive'), range(300));
	const l = await lane(b, 'dead', (x) => x.state === 'down' && x.retried > 3 && x.backlogItems === 300 && x.oldest !== undefined);
	assert.deepEqual([l.backlogItems, l.delivered, l.lastError], [300, 0, 'it is down']);
	const most = 200 + (Date.now() - began) / 20; // some batches before it is known, then one item in 50 ms or more
	assert.ok(l.retried < most, `${l.retried} tries: one at a time`);
	assert.ok(l.backlogBytes > 0 && l.oldest >= 0);
	await b.logged(/openSearch http:\/\/dead .* is down: it is down/, 0);
	s.beUp('dead');
	await s.all(300, 'dead');
	assert.deepEqual(s.numbers('dead'), range(300));
	await b.logged(/openSearch http:\/\/dead .* is up again/, 0);
	assert.deepEqual([(await r.statistics('dead')).dropped, (await r.statistics('alive')).dropped], [0, 0]);
});

test('what waits for a sink survives a restart and kill -9, and the rule that sent it', async (t) => {
	const { r, b, s } = await world(t);
	s.be('closed');
	await r.make('one', "SELECT n FROM 'in'", probe('a'));
	let d = await b.device('d');
	await publishAll(d, 'in', range(100));
	await lane(b, 'http://a', (l) => l.backlogItems === 100);
	await b.restart();
	assert.equal((await lane(b, 'http://a', (l) => l.backlogItems === 100)).lane, `http://a ${roleArn}`);
	await b.restart('SIGKILL');
	await lane(b, 'http://a', (l) => l.backlogItems === 100 && l.lastError === 'a is closed');
	await b.call('DeleteTopicRule', { ruleName: 'one' });
	await b.restart();
	s.beUp();
	await s.all(100);
	assert.deepEqual(s.numbers(), range(100));
	await lane(b, 'http://a', (l) => l.backlogItems === 0 && l.backlogBytes === 0);
	await b.restart();
	assert.deepEqual(await lanes(b), [], 'an empty one has no folder');
	d = await b.tls('d').connect();
	await d.publish('in', '{"n":1}', { qos: 1 });
});

test('kill -9 again and again under load loses nothing that had its PUBACK', async (t) => {
	const { r, b, s } = await world(t);
	await r.make('one', "SELECT n FROM 'in'", probe('a', { index: "${CASE n % 7 WHEN 0 THEN 'retry-1' ELSE 'ok' END}" }));
	await b.provision('d');
	let n = 0;
	const acknowledged = new Set();
	for (let round = 0; round < 4; round++) {
		const d = await b.tls('d', { reconnect: false }).connect();
		let going = true;
		const sender = (async () => {
			while (going) {
				const one = n++;
				await d.publish('in', JSON.stringify({ n: one }), { qos: 1 }).then(() => acknowledged.add(one), () => { going = false; });
			}
		})();
		const enough = acknowledged.size + 150;
		await until('some to be acknowledged', () => acknowledged.size >= enough || !going);
		await b.stop('SIGKILL');
		going = false;
		await Promise.race([sender, d.end()]);
		await b.start();
	}
	const missing = () => { const got = new Set(s.numbers()); return [...acknowledged].filter((x) => !got.has(x)); };
	await until(() => `nothing to be missing; missing are ${missing().slice(0, 10)} of ${acknowledged.size}`, () => missing().length === 0);
	assert.ok(acknowledged.size >= 600);
});

test('a destination without room refuses messages of its rules alone, with QoS 1 in the PUBACK, and takes them again when there is room', async (t) => {
	const { r, b, s } = await world(t, { rules: { spill: '64k' } });
	s.be('down', 'dead');
	await r.make('dead', "SELECT * FROM 'dead/#'", probe('dead', { id: 'x' }));
	await r.make('alive', "SELECT * FROM 'alive'", probe('alive'));
	const d = await b.device('d', undefined, { protocolVersion: 5 });
	const refused = async (topic, n) => d.publish(topic, JSON.stringify({ n, pad: 'x'.repeat(2000) }), { qos: 1 }).then((p) => p && p.reasonCode >= 0x80, () => true);
	let sent = 0, taken = 0;
	const full = async () => {
		const is = await refused('dead/x', sent++);
		taken += !is;
		return is;
	};
	await until('a refusal', full);
	assert.equal((await lane(b, 'dead', (l) => l.state === 'full')).state, 'full');
	assert.equal(await refused('alive', 0), false);
	assert.ok((await r.statistics('dead')).dropped >= 1);
	s.beUp('dead');
	await until('room', async () => !await full());
	assert.ok(taken > 10, `${taken}`);
	await s.all(taken, 'dead');
	await lane(b, 'dead', (l) => l.state === 'up');
});

const letters = async (b, ruleName) => (await b.call('ListDeadLetters', { ruleName })).deadLetters;

test('what fails for good runs the error action, which gets the failure as AWS describes it', async (t) => {
	const { r, b } = await world(t);
	await r.make('bad', "SELECT n FROM 'in/#'", probe('a', { index: 'fail' }), { errorAction: republish('errors/${topic(2)}') });
	const d = await b.device('d');
	await d.subscribe('errors/#');
	await d.publish('in/x', '{"n":7}', { qos: 1 });
	const m = await until('the error', () => d.inbox.find((x) => x.topic === 'errors/x'));
	const e = JSON.parse(m.payload);
	assert.deepEqual([e.ruleName, e.topic, e.clientId, Buffer.from(e.base64OriginalPayload, 'base64').toString()], ['bad', 'in/x', 'd', '{"n":7}']);
	assert.deepEqual(e.failures, [{ failedAction: 'OpenSearchAction', failedResource: 'http://a', errorMessage: 'it does not like that' }]);
	await lane(b, 'http://a', (l) => l.backlogItems === 0 && l.failed === 1);
	const counted = await r.counted('bad', { failed: 1 });
	assert.equal(counted.lastError, 'openSearch: it does not like that');
	assert.deepEqual(await letters(b, 'bad'), []);
});

test('an error action to another destination goes there, and when that fails too it is a dead letter', async (t) => {
	const { r, b, s } = await world(t);
	await r.make('bad', "SELECT n FROM 'in'", probe('a', { index: 'fail' }), { errorAction: probe('errors', { id: 'x', index: "${CASE n WHEN 1 THEN 'ok' ELSE 'fail' END}" }) });
	const d = await b.device('d');
	await d.publish('in', '{"n":1}', { qos: 1 });
	await s.all(1, 'errors');
	assert.equal(JSON.parse(s.got('errors')[0].payload).failures[0].errorMessage, 'it does not like that');
	await d.publish('in', '{"n":2}', { qos: 1 });
	const [letter] = await until('a letter', async () => { const all = await letters(b, 'bad'); return all.length && all; });
	assert.deepEqual([letter.topic, letter.clientId, letter.action, letter.why, letter.attempts], ['in', 'd', 'openSearch', 'the error action: it does not like that', 1]);
});

test('without an error action it is a dead letter: listed, sent again, deleted, over restarts and after its rule', async (t) => {
	const { r, b, s } = await world(t);
	const made = (index) => probe('a', { index });
	await r.make('bad', "SELECT n FROM 'in'", made('fail'));
	const d = await b.device('d');
	for (const n of range(10))
		await d.publish('in', JSON.stringify({ n }), { qos: 1 });
	await until('ten letters', async () => (await letters(b, 'bad')).length === 10);
	const counters = await until('them to be counted', async () => {
		const all = (await b.call('DescribeCounters', {})).counters;
		return all.dead_letters >= 10 && all.sink_failed >= 10 && all;
	});
	assert.deepEqual([counters.dead_letters, counters.sink_failed, counters.sink_delivered], [10, 10, 0]);
	await b.restart('SIGKILL');
	// What was a letter before its lane had noted that becomes the same one again.
	await until('the lane to be through', async () => (await lanes(b)).every((l) => l.backlogBytes === 0));
	const all = await letters(b, 'bad');
	assert.equal(all.length, 10);
	assert.deepEqual(all.map((l) => l.id), all.map((l) => l.id).sort(), 'the oldest first');
	assert.deepEqual([all[0].why, all[0].topic, all[0].action], ['it does not like that', 'in', 'openSearch']);
	const page = await b.call('ListDeadLetters', { ruleName: 'bad', maxResults: 4 });
	assert.equal(page.deadLetters.length, 4);
	assert.equal((await b.call('ListDeadLetters', { ruleName: 'bad', maxResults: 250, nextToken: page.nextToken })).deadLetters.length, 6);
	assert.deepEqual(await b.call('DeleteDeadLetters', { ruleName: 'bad', ids: [all[0].id, '0'.repeat(32)] }), { ids: [all[0].id], deleted: 1, remaining: 9 });
	// What is sent again has its fields as they were when the message came: it fails again, under the same id.
	assert.deepEqual(await b.call('RedeliverDeadLetters', { ruleName: 'bad', ids: [all[1].id] }), { ids: [all[1].id], redelivered: 1, remaining: 8 });
	await until('it to come back', async () => (await letters(b, 'bad')).length === 9);
	// Where to is the rule's as it is now.
	await r.replace('bad', "SELECT n FROM 'in'", probe('b', { index: 'fail' }));
	const some = await b.call('RedeliverDeadLetters', { ruleName: 'bad', maxResults: 5 });
	assert.deepEqual(some, { ids: all.slice(1, 6).map((l) => l.id), redelivered: 5, remaining: 4 });
	await lane(b, 'http://b', (l) => l.failed === 5);
	await until('nine letters', async () => (await letters(b, 'bad')).length === 9);
	await b.call('DeleteTopicRule', { ruleName: 'bad' });
	assert.equal((await letters(b, 'bad')).length, 9);
	assert.deepEqual(await b.call('DeleteDeadLetters', { ruleName: 'bad' }), { ids: all.slice(1).map((l) => l.id), deleted: 9, remaining: 0 });
	assert.deepEqual(await b.call('RedeliverDeadLetters', { ruleName: 'bad' }), { ids: [], redelivered: 0, remaining: 0 });
	assert.deepEqual(s.got(), []);
});

test('what was given up can be sent again when its sink is there', async (t) => {
	const { r, b, s } = await world(t, { rules: { retry_for: '1s' } });
	s.be('down');
	await r.make('one', "SELECT n FROM 'in'", probe('a'));
	const d = await b.device('d');
	await publishAll(d, 'in', range(5));
	const all = await until('five letters', async () => { const l = await letters(b, 'one'); return l.length === 5 && l; });
	assert.match(all[0].why, /^gave up after 1s: it is down$/);
	s.beUp();
	await b.call('RedeliverDeadLetters', { ruleName: 'one' });
	await s.all(5);
	assert.deepEqual(s.numbers(), range(5));
	assert.deepEqual(await letters(b, 'one'), []);
});

test('of the dead letters of a rule the newest are kept', async (t) => {
	const { r, b } = await world(t, { rules: { dead_letters: 5 } });
	await r.make('bad', "SELECT n FROM 'in/#'", probe('a', { index: 'fail' }));
	const d = await b.device('d');
	for (const n of range(12))
		await d.publish(`in/${n}`, JSON.stringify({ n }), { qos: 1 });
	await lane(b, 'http://a', (l) => l.failed === 12 && l.backlogItems === 0);
	assert.deepEqual((await letters(b, 'bad')).map((l) => l.topic).sort(), range(5, 7).map((n) => `in/${n}`).sort());
	assert.equal(await r.counter('dead_letters_dropped'), 7);
	await b.logged(/rule bad has more dead letters than are kept/, 0);
});

test('an action that nothing here carries out is an error of the rule that says what is missing', async (t) => {
	const { r, b } = await world(t);
	await r.make('none', "SELECT n FROM 'in'", { lambda: { functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:f' } });
	const d = await b.device('d');
	await d.publish('in', '{"n":1}', { qos: 1 });
	assert.equal((await r.counted('none', { failed: 1 })).lastError, 'lambda: nothing here carries out lambda actions');
});

test('there are no more destinations than allowed, but what no rule uses any more makes room', async (t) => {
	const { r, b, s } = await world(t, { rules: { lanes: 2 } });
	const d = await b.device('d');
	for (const name of ['a', 'b'])
		await r.make(name, `SELECT n FROM '${name}'`, probe(name));
	for (const name of ['a', 'b']) {
		await d.publish(name, '{"n":1}', { qos: 1 });
		await s.all(1, name);
	}
	await r.make('c', "SELECT n FROM 'c'", probe('c'));
	await d.publish('c', '{"n":1}', { qos: 1 });
	assert.match((await r.counted('c', { failed: 1 })).lastError, /there are 2 destinations already \(plugin_opt_lanes\)/);
	await b.call('DeleteTopicRule', { ruleName: 'a' });
	await until('c to be served', async () => { await d.publish('c', '{"n":2}', { qos: 1 }); return s.got('c').length > 0; });
	assert.equal((await lanes(b)).length, 2);
});

test('a rule in Lua sends to sinks with sql and actions, and with sink', async (t) => {
	const { b, s } = await world(t, { lua: { 'sinks.lua': `
rule "by_sql" { sql = "SELECT n FROM 'in'", actions = { { openSearch = { roleArn = "${roleArn}", endpoint = "http://a", index = "ok", type = "t", id = "\${n}" } } } }
rule "by_hand" { topic = "in", run = function(m)
	sink.openSearch { roleArn = "${roleArn}", endpoint = "http://b", index = "ok", type = "t", id = "x" .. m.n, payload = "by hand" }
end }
` } });
	const d = await b.device('d');
	await d.publish('in', '{"n":1}', { qos: 1 });
	await s.all(1, 'a');
	await s.all(1, 'b');
	assert.deepEqual([s.got('b')[0].payload, s.got('b')[0].fields.id, s.got('a')[0].fields.id], ['by hand', 'x1', '1']);
});
