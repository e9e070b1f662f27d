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
		return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)) : [];
	}
	got(name) { return this.lines(name).filter((l) => l.id); }
	numbers(name) { return this.got(name).map((l) => JSON.parse(l.payload).n); }
	// What is closed cannot be opened, what is down has all of it tried again.
	be(what, name = 'a') { fs.writeFileSync(path.join(this.folder, `${name}.${what}`), ''); }
	beUp(name = 'a') {
		for (const what of ['down', 'closed'])
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
	const [one, two] = s.got();
	assert.deepEqual([one.topic, one.client, one.payload, one.fields, one.attempt], ['in/x', 'd', '{"n":1,"two":2}', { index: '1', type: 'x', id: '1' }, 0]);
	assert.match(one.id, /^[0-9a-f]{32}$/);
	assert.notEqual(one.id, two.id);
	const [l] = await lanes(b);
	assert.deepEqual([l.kind, l.lane, l.state, l.delivered, l.backlogItems], ['openSearch', `http://a ${roleArn}`, 'up', 2, 0]);
});
