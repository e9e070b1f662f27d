// $CONTROL/skeeter/v1: who may use it, what its envelope answers, and that only the requester hears it.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { Operator, TOPIC } = require('../../harness/control');
const pki = require('../../harness/pki');

const core = { plugins: ['core', 'registry', 'auth'] };

test.smoke('commands of one envelope are answered in order, each with its correlation data', async (t) => {
	const b = await start(t, core);
	const op = await b.operator();
	const { responses } = await op.raw({ commands: [
		{ command: 'CreateThing', correlationData: 'a', thingName: 'one' },
		{ command: 'DescribeThing', correlationData: 'b', thingName: 'one' },
		{ command: 'DeleteThing', thingName: 'one' },
		{ command: 'DescribeThing', correlationData: 'd', thingName: 'one' },
	] });
	assert.deepEqual(responses.map((r) => [r.command, r.correlationData, r.error === undefined]),
		[['CreateThing', 'a', true], ['DescribeThing', 'b', true], ['DeleteThing', undefined, true], ['DescribeThing', 'd', false]]);
	assert.deepEqual([responses[0].data.thingName, responses[1].data.version, responses[2].data], ['one', 1, {}]);
	assert.deepEqual([responses[3].code, responses[3].status, responses[3].data], ['ResourceNotFoundException', 404, undefined]);
});

test('an unknown operation is answered, the others of its envelope are carried out', async (t) => {
	const b = await start(t, core);
	const { responses } = await (await b.operator()).raw({ commands: [{ command: 'CraeteThing', correlationData: '1' }, { command: 'CreateThing', thingName: 'x' }] });
	assert.deepEqual([responses[0].code, responses[0].status, responses[0].correlationData], ['UnknownOperationException', 404, '1']);
	assert.match(responses[0].error, /CraeteThing/);
	assert.equal(responses[1].data.thingName, 'x');
});

test('what is no envelope is answered with an error, and the broker lives on', async (t) => {
	const b = await start(t, { ...core, conf: 'max_packet_size 4000000' });
	const op = await b.operator();
	const bad = ['', '{', '[]', '7', '{}', '{"commands":{}}', '{"commands":7}', '{"commands":[7]}', '{"commands":[{}]}', '{"commands":[{"command":7}]}',
		'{"commands":[{"command":"CreateThing","thingName":"a","thingName":"b \\ud800"}]}', '['.repeat(1000000), '{"commands":[' + '{"a":'.repeat(100000),
		Buffer.from([0x7b, 0xff, 0xfe, 0x7d])];
	for (const payload of bad) {
		const { responses } = await op.raw(payload);
		assert.ok(Array.isArray(responses) && responses.every((r) => r.error && r.code && r.status >= 400), JSON.stringify(responses));
	}
	assert.deepEqual((await op.raw({ commands: [] })).responses, []);
	assert.deepEqual((await op.call('ListThings', {})).things, []);
});

test('only the requester hears the answer, even if others listen', async (t) => {
	const b = await start(t, { ...core, plain: true, options: { auth: { others: 'allow' } }, conf: 'allow_anonymous true' });
	const spy = await b.plain({ username: 'spy', password: 'x' }).connect();
	await spy.subscribe([`${TOPIC}/response`, '$CONTROL/#', 'end']).catch(() => {});
	const second = await Operator.connect(b.socket);
	b.add(second);
	await second.subscribe(`${TOPIC}/response`);
	await b.call('CreateThing', { thingName: 'secret' });
	await second.publish('end', '.');
	await second.call('DescribeThing', { thingName: 'secret' });
	assert.deepEqual([spy.got(`${TOPIC}/response`), second.got(`${TOPIC}/response`)], [[], []]);
});

test('a device may not use $CONTROL, unless its certificate is listed', async (t) => {
	const { id } = pki.certificate('boss');
	const b = await start(t, core);
	const lamp = await b.device('lamp');
	await lamp.publish(TOPIC, { commands: [{ command: 'CreateThing', thingName: 'evil' }] }).catch((e) => assert.equal(e.code, 'closed'));
	assert.match(await b.refused('DescribeThing', { thingName: 'evil' }), /^ResourceNotFoundException/);
	assert.deepEqual(lamp.inbox, []);
	const listed = await start(t, { ...core, options: { core: { operators: `${'/nonexistent'} ${id}` } } });
	const op = new Operator({ protocol: 'mqtts', port: listed.port, ca: pki.authority().pem, cert: pki.certificate('boss').pem, key: pki.certificate('boss').keyPem, clientId: 'boss' });
	listed.add(op);
	await assert.rejects(op.connect());
});

test('a listed certificate is an operator over TLS, like the unix socket', async (t) => {
	const boss = pki.certificate('boss');
	const b = await start(t, core);
	await b.provision('boss');
	b.spec.options = { core: { operators: `${b.socket} ${boss.id}` } };
	await b.restart();
	const op = b.add(new Operator({ protocol: 'mqtts', port: b.port, ca: pki.authority().pem, cert: boss.pem, key: boss.keyPem, clientId: 'boss' }));
	await op.connect();
	assert.equal((await op.call('CreateThing', { thingName: 'x' })).thingName, 'x');
});

test('nobody is an operator by default, and an unlisted user is none', async (t) => {
	const b = await start(t, { ...core, plain: true, conf: 'allow_anonymous true', options: { core: { operators: null }, auth: { others: 'allow' } } });
	for (const make of [() => b.unix(), () => b.plain({ username: 'admin', password: 'x' }), () => b.plain()]) {
		const d = make();
		await d.connect().then(() => d.publish(TOPIC, { commands: [{ command: 'CreateThing', correlationData: '1', thingName: 'x' }] })).catch(() => {});
		assert.deepEqual(d.got(`${TOPIC}/response`).filter((m) => /"data"/.test(m.payload)), []);
	}
	b.spec.options = { auth: { others: 'allow' } };
	await b.restart();
	assert.match(await b.refused('DescribeThing', { thingName: 'x' }), /^ResourceNotFoundException/);
});

test('an operator through the socket may use every topic, and a second one is not confused with the first', async (t) => {
	const b = await start(t);
	const [one, two] = [await Operator.connect(b.socket), await Operator.connect(b.socket)].map((o) => b.add(o));
	const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? one : two).publish(TOPIC,
		{ commands: [{ command: 'CreateThing', correlationData: `${i}`, thingName: `t${i}` }] })));
	assert.equal(answers.length, 100);
	await until('100 answers', () => one.inbox.length + two.inbox.length === 100);
	for (const [o, odd] of [[one, 1], [two, 0]])
		for (const m of o.inbox) {
			const [r] = JSON.parse(m.payload).responses;
			assert.deepEqual([r.correlationData % 2, r.data.thingName], [odd, `t${r.correlationData}`]);
		}
});
