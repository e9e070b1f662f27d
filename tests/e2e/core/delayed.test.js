// Another plugin decides about a CONNECT later than we do, as Mosquitto 2.1 lets it.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { create } = require('../../harness/broker');
const { delays } = require('../../harness/facts');

async function delaying(t) {
	const b = create(t, { plain: true });
	const library = path.join(b.dir, 'delaying.so'), file = path.join(b.dir, 'decided');
	execFileSync(process.env.CC || 'cc', ['-shared', '-fPIC', '-o', library, path.join(__dirname, 'delaying_plugin.c'), '-ldl']);
	b.spec.plugins = ['core', 'registry', 'auth', 'shadow', library];
	b.spec.options = { auth: { others: 'defer' }, [library]: { file } };
	await b.start();
	const op = await b.operator();
	await op.subscribe('$aws/events/#');
	return { b, op, decide: () => fs.writeFileSync(file, '') };
}
const told = (op) => op.inbox.map((m) => JSON.parse(m.payload)).map((e) => [e.clientId, e.eventType]);
const connected = async (b) => (await b.call('ListClients', {})).clients.filter((c) => c.connected && c.clientId.startsWith('later')).map((c) => c.clientId);

async function connect(b, clientId) {
	const from = b.log.length;
	const c = b.plain({ clientId, username: 'u', password: 'p' });
	const end = c.connect().then(() => c, (e) => e);
	await b.logged(/New connection from 127/, from);
	return { end };
}

test('a client that another plugin lets in later is connected when it is let in', async (t) => {
	const { b, op, decide } = await delaying(t);
	const { end } = await connect(b, 'later-yes');
	assert.deepEqual([await connected(b), told(op)], [[], []]);
	decide();
	const c = await end;
	if (!delays) {
		assert.equal(c.code, 'closed');
		assert.deepEqual([await connected(b), told(op)], [[], []]);
		return;
	}
	await c.subscribe('a');
	await until('it to be told of', () => told(op).length > 0);
	assert.deepEqual([told(op)[0], await connected(b)], [['later-yes', 'connected'], ['later-yes']]);
	await new Promise((done) => c.client.end(false, {}, done));
	await op.next('$aws/events/presence/disconnected/later-yes');
	assert.deepEqual(await connected(b), []);
});

test('one that another plugin refuses later, or that leaves while it waits, was never there', async (t) => {
	const { b, op, decide } = await delaying(t);
	const { end } = await connect(b, 'later-no-1');
	decide();
	const e = await end;
	assert.equal(e.code, delays ? 5 : 'closed');
	const { end: gone } = await connect(b, 'later-no-2');
	b.devices[b.devices.length - 1].client.stream.destroy();
	await gone;
	await b.plain({ clientId: 'later-no-3', username: 'u', password: 'p' }).refusedConnect();
	assert.deepEqual([await connected(b), told(op)], [[], []]);
});
