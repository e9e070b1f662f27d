// skeeter rules lanes, skeeter rules dead-letters: where actions go, and what has failed for good.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { start, BUILD } = require('../../harness/broker');
const { roleArn } = require('../../harness/rules');

const PROBE = `${BUILD}/tests/sink_probe.so`;
const run = (b, ...args) => new Promise((done) => execFile(path.join(BUILD, 'skeeter'), ['rules', ...args], { env: { ...process.env, TZ: 'UTC', SKEETER_SOCKET: b.socket } },
	(e, stdout, stderr) => done({ code: e ? e.code : 0, stdout, stderr: stderr.trimEnd() })));

async function world(t) {
	const b = await start(t, { plugins: ['core', 'registry', 'auth', 'rules', PROBE], options: { [PROBE]: { folder: '.' } } });
	const action = { openSearch: { roleArn, endpoint: 'http://there', index: '${mode}', type: 't', id: '${n}' } };
	await b.call('CreateTopicRule', { ruleName: 'one', topicRulePayload: { sql: "SELECT n FROM 'in/#'", awsIotSqlVersion: '2016-03-23', actions: [action] } });
	const d = await b.device('d');
	const send = (n, mode) => d.publish(`in/${n}`, JSON.stringify({ n, mode }), { qos: 1 });
	return { b, send };
}
const letters = (b, n) => until(`${n} letters`, async () => {
	const lines = (await run(b, 'dead-letters', 'one')).stdout.trimEnd().split('\n');
	return lines.length === 1 + 2 * n && lines;
});

test('rules lanes: state, what waits, what was delivered, the last error', async (t) => {
	const { b, send } = await world(t);
	assert.match((await run(b, 'lanes')).stdout, /^kind +state +waiting +bytes +oldest +delivered +a second +retried +failed +to\n$/);
	await send(1, 'ok');
	await until('it to be there', async () => /openSearch +up +0 +0 B +- +1 +[\d.]+ +0 +0 +http:\/\/there/.test((await run(b, 'lanes')).stdout));
	fs.writeFileSync(path.join(b.dir, 'there.down'), '');
	await send(2, 'ok');
	await until('it to wait', async () => /openSearch +down +1 +\d+ B +\d+ s +1 .*\n {2}(just now|\d+ s ago): it is down\n/.test((await run(b, 'lanes')).stdout));
	assert.equal((await run(b, 'lanes', 'x')).code, 252);
});

test('rules dead-letters: listed, sent again, deleted, all or some', async (t) => {
	const { b, send } = await world(t);
	for (let n = 0; n < 120; n++)
		await send(n, 'fail');
	const lines = await letters(b, 120);
	assert.match(lines[0], /^id +time +action +tries +topic$/);
	assert.match(lines[1], /^[0-9a-f]{32}  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}  openSearch +1  in\/0 from d$/);
	assert.equal(lines[2], '  it does not like that');
	const ids = lines.filter((l, i) => i % 2).map((l) => l.slice(0, 32));
	assert.equal(ids.length, 120);
	assert.match((await run(b, 'dead-letters', 'one', ids[3])).stdout, /\n[0-9a-f]{32}.* in\/3 from d\n {2}it does not like that\n$/);
	assert.equal((await run(b, 'dead-letters', 'one', '--delete', ids[0], ids[1])).stdout, '2 deleted\n');
	// They fail again, each once.
	assert.equal((await run(b, 'dead-letters', 'one', '--redeliver')).stdout, '118 redelivered\n');
	await letters(b, 118);
	assert.equal((await run(b, 'dead-letters', 'one', '--delete')).stdout, '118 deleted\n');
	assert.equal((await run(b, 'dead-letters', 'one', '--redeliver')).stdout, '0 redelivered\n');
	assert.equal((await run(b, 'dead-letters', 'one', '--delete', '--redeliver')).code, 252);
	assert.equal((await run(b, 'dead-letters')).code, 252);
});
