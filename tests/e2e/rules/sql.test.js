// Rules in SQL on a running broker: what they choose, what they make of it, in which order, and what an operation changes about them.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { rules, republish, roleArn } = require('../../harness/rules');
const { Operator } = require('../../harness/control');
const { Shadow } = require('../../harness/shadow');

const SHADOW = '$aws/things/lamp/shadow';

test.smoke('a message that passes WHERE is shaped and republished, others are not, and all are counted', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('hot', "SELECT temp, topic(2) AS room, inside.lamp.on AS lit, {'c': [temp, 1]} AS nested FROM 'rooms/+/climate' WHERE temp > 30", republish('hot/${topic(2)}'));
	await op.subscribe('hot/#');
	for (const [topic, payload] of [['rooms/attic/climate', '{"temp":30}'], ['rooms/attic', '{"temp":31}'], ['rooms/attic/climate', 'no JSON'], ['rooms/attic/climate', '{}']])
		await op.publish(topic, payload);
	await op.publish('rooms/attic/climate', '{"temp":31.50,"inside":{"lamp":{"on":true}}}');
	await op.publish('rooms/hall/climate', '{"temp":32}');
	assert.deepEqual(await op.next('hot/attic'), { temp: 31.5, room: 'attic', lit: true, nested: { c: [31.5, 1] } });
	assert.deepEqual(await op.next('hot/hall'), { temp: 32, room: 'hall', nested: { c: [32, 1] } });
	const { matched, passed, failed, dropped, ruleDisabled } = await r.counted('hot', { matched: 5 });
	assert.deepEqual({ matched, passed, failed, dropped, ruleDisabled }, { matched: 5, passed: 2, failed: 0, dropped: 0, ruleDisabled: false });
	assert.deepEqual(op.inbox, []);
});

test('SELECT * sends a payload as it came, byte by byte; an empty one too', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('all', "SELECT * FROM 'raw/#'", republish('copy/${topic(2)}', { qos: 1 }));
	await op.subscribe('copy/#');
	const payloads = [Buffer.from([0, 255, 254, 10, 0]), Buffer.alloc(0), Buffer.from('{ "a" : 1.0 }\n'), Buffer.alloc(100000, 7)];
	for (const [i, payload] of payloads.entries()) {
		await op.publish(`raw/${i}`, payload);
		assert.deepEqual((await op.nextMessage(`copy/${i}`)).payload, payload);
	}
});

test('all rules whose filters match get a message, each its own way', async (t) => {
	const r = await rules(t), { op } = r;
	for (const [name, filter] of [['one', 'a/b'], ['two', 'a/+'], ['three', '#'], ['four', '+/b/#'], ['five', 'a/c']])
		await r.make(name, `SELECT '${name}' AS rule FROM '${filter}' WHERE isUndefined(rule)`, republish('out'));
	await op.subscribe('out');
	await op.publish('a/b', '{}');
	const names = [];
	while (names.length < 4)
		names.push((await op.next('out')).rule);
	assert.deepEqual(names.sort(), ['four', 'one', 'three', 'two']);
	assert.equal((await r.statistics('five')).matched, 0);
});

test('messages under one topic keep their order: 1,000 of each of three topics', async (t) => {
	const r = await rules(t, { rules: { threads: 3 } }), { op } = r;
	await r.make('copy', "SELECT n FROM 'in/+' WHERE n >= 0", republish('out/${topic(2)}', { qos: 1 }));
	await r.make('copy_all', "SELECT * FROM 'in/#'", republish('all/${topic(2)}', { qos: 1 }));
	await op.subscribe(['out/#', 'all/#']);
	for (let n = 0; n < 1000; n++)
		['a', 'b', 'c'].forEach((topic) => op.client.publish(`in/${topic}`, JSON.stringify({ n }), { qos: n % 2 }));
	await until('6,000 messages', () => op.inbox.length >= 6000);
	const expected = Array.from({ length: 1000 }, (_, n) => n);
	for (const topic of ['out/a', 'out/b', 'out/c', 'all/a', 'all/b', 'all/c'])
		assert.deepEqual(op.got(topic).map((m) => JSON.parse(m.payload).n), expected, topic);
});

test('a rule hears what our services publish: accepted updates, presence, events of the registry', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('accepted', "SELECT state.reported.n AS n, topic(3) AS thing FROM '$aws/things/+/shadow/update/accepted'", republish('heard/shadow'));
	await r.make('deltas', "SELECT state.on AS on FROM '$aws/things/+/shadow/update/delta'", republish('heard/delta'));
	await r.make('presence', "SELECT clientId, eventType FROM '$aws/events/presence/+/lamp'", republish('heard/presence'));
	await r.make('things', "SELECT operation, thingName FROM '$aws/events/thing/#'", republish('heard/thing'));
	await r.b.call('UpdateEventConfigurations', { eventConfigurations: { THING: { Enabled: true } } });
	await op.subscribe('heard/#');
	const lamp = await r.b.device('lamp');
	assert.deepEqual(await op.next('heard/thing'), { operation: 'CREATED', thingName: 'lamp' });
	assert.deepEqual(await op.next('heard/presence'), { clientId: 'lamp', eventType: 'connected' });
	await lamp.publish(`${SHADOW}/update`, { state: { reported: { n: 7, on: false }, desired: { on: true } } });
	assert.deepEqual(await op.next('heard/shadow'), { n: 7, thing: 'lamp' });
	assert.deepEqual(await op.next('heard/delta'), { on: true });
	await r.b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { n: 8 } } } });
	assert.deepEqual(await op.next('heard/shadow'), { n: 8, thing: 'lamp' });
	await lamp.end();
	assert.deepEqual(await op.next('heard/presence'), { clientId: 'lamp', eventType: 'disconnected' });
});

test('a rule hears what devices ask of shadows, and a republish to $$aws changes a shadow', async (t) => {
	const r = await rules(t), { op } = r;
	await r.b.call('CreateThing', { thingName: 'valve' });
	await r.make('close', "SELECT {'desired': {'open': false, 'by': clientid()}} AS state FROM 'factory/+/temp' WHERE c > 30", republish('$$aws/things/valve/shadow/update', { qos: 1 }));
	await r.make('asked', "SELECT topic() AS topic FROM '$aws/things/+/shadow/update'", republish('heard'));
	await op.subscribe('heard');
	const valve = await new Shadow(await r.b.device('valve2', undefined), 'valve').listen();
	await op.publish('factory/oven/temp', '{"c":31}');
	const accepted = await valve.next('update/accepted');
	assert.deepEqual(accepted.state, { desired: { open: false, by: op.options.clientId } });
	assert.deepEqual((await valve.next('update/delta')).state, { open: false, by: op.options.clientId });
	assert.deepEqual(await op.next('heard'), { topic: '$aws/things/valve/shadow/update' });
	assert.equal((await r.b.call('GetThingShadow', { thingName: 'valve' })).payload.state.desired.open, false);
});

test('clientid(), principal(), sourceip(), accountid(), traceid() and timestamp() say who and when', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('who', "SELECT clientid() AS client, principal() AS principal, sourceip() AS ip, accountid() AS account, traceid() AS trace, timestamp() AS at, topic() AS topic FROM 'who/#'", republish('is'));
	await op.subscribe('is');
	const { certificateId } = await r.b.provision('lamp');
	const lamp = await r.b.tls('lamp').connect();
	await lamp.publish('who/am/I', '{}');
	const { trace, at, ...is } = await op.next('is');
	assert.deepEqual(is, { client: 'lamp', principal: certificateId, ip: '127.0.0.1', account: '123456789012', topic: 'who/am/I' });
	assert.match(trace, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.ok(Math.abs(at - Date.now()) < 60000);
	await op.publish('who/op', '{}');
	const operator = await op.next('is');
	assert.equal(operator.client, op.options.clientId);
	assert.notEqual(operator.trace, trace);
});

test('a statement looks up shadows and the registry as they are at that moment', async (t) => {
	const r = await rules(t), { op } = r;
	await r.b.call('CreateThing', { thingName: 'lamp', attributePayload: { attributes: { room: 'attic' } } });
	await r.b.call('CreateThingGroup', { thingGroupName: 'lamps' });
	await r.b.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'lamps' });
	await r.make('enriched', `SELECT get_thing_shadow(thing, '${roleArn}').state.reported.n AS n, get_thing_shadow(thing, 'cfg', '${roleArn}').state.desired AS cfg,
		get_registry_data('DescribeThing', thing, '${roleArn}').attributes.room AS room,
		get_registry_data('ListThingGroupsForThing', thing, '${roleArn}').thingGroups[0].groupName AS grp FROM 'ask'`, republish('told'));
	await op.subscribe('told');
	const ask = async (thing) => {
		await op.publish('ask', { thing });
		return op.next('told');
	};
	assert.deepEqual(await ask('lamp'), { room: 'attic', grp: 'lamps' });
	for (let n = 0; n < 5; n++) {
		await r.b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { n } } } });
		await r.b.call('UpdateThingShadow', { thingName: 'lamp', shadowName: 'cfg', payload: { state: { desired: { n } } } });
		assert.deepEqual(await ask('lamp'), { n, cfg: { n }, room: 'attic', grp: 'lamps' });
	}
	assert.deepEqual([await ask('nobody'), await ask('../registry/thing/lamp'), await ask('a'.repeat(3000))], [{}, {}, {}]);
});

test('aws_lambda without functions, an action that nothing carries out and a template that fails: each says so, and the other actions run', async (t) => {
	const r = await rules(t), { op } = r;
	await op.subscribe(['out', 'failed', 'ok']);
	await r.make('lambda', "SELECT aws_lambda('arn:aws:lambda:us-east-1:123456789012:function:f', *) AS x FROM 'lambda'", republish('out'), { errorAction: republish('failed') });
	await op.publish('lambda', '{"n":1}');
	const { cloudwatchTraceId, ...told } = await op.next('failed');
	const [failure] = told.failures;
	assert.deepEqual({ ...told, failures: undefined }, { ruleName: 'lambda', topic: 'lambda', clientId: op.options.clientId,
		base64OriginalPayload: Buffer.from('{"n":1}').toString('base64'), failures: undefined });
	assert.match(cloudwatchTraceId, /^[0-9a-f-]{36}$/);
	assert.equal(failure.failedAction, 'RuleExecution');
	assert.match(failure.errorMessage, /function/);
	await r.make('mixed', "SELECT * FROM 'mixed'", [{ sqs: { roleArn, queueUrl: 'https://x/q', useBase64: false } }, republish('${nothing}/x'), republish('ok')], { errorAction: republish('failed') });
	await op.publish('mixed', '{}');
	assert.deepEqual(await op.next('ok'), {});
	const { failures } = await op.next('failed');
	assert.deepEqual(failures.map((f) => f.failedAction), ['SqsAction', 'RepublishAction']);
	assert.equal(failures[0].failedResource, 'https://x/q');
	assert.match(failures[0].errorMessage, /nothing here carries out sqs actions/);
	const { failed, lastError } = await r.counted('mixed', { failed: 1 });
	assert.deepEqual([failed, (await r.statistics('lambda')).failed], [1, 1]);
	assert.match(lastError, /^sqs: nothing here/);
	assert.match((await r.statistics('lambda')).lastError, /function/);
});

test('an error action that fails too is one failure, and its reason is kept', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('twice', "SELECT * FROM 'twice'", republish('${nothing}'), { errorAction: republish('${nothing}') });
	await op.publish('twice', '{}');
	const { failed, lastError } = await until('both reasons', async () => {
		const s = await r.statistics('twice');
		return /too: /.test(s.lastError) && s;
	});
	assert.equal(failed, 1);
	assert.match(lastError, /^republish: .*; the error action too: /);
});

test('templates take from the message, and what they make may be no topic', async (t) => {
	const r = await rules(t), { op } = r;
	await r.make('to', "SELECT v FROM 'to'", republish('to/${place}/${upper(v)}'));
	await op.subscribe('to/#');
	await op.publish('to', '{"place":"a/b","v":"x"}');
	assert.deepEqual(await op.next('to/a/b/X'), { v: 'x' });
	for (const place of ['+', '#', 'a\u0000b', 'x'.repeat(300), 'a/b/c/d/e/f/g/h', '\ud800'])
		await op.publish('to', { place, v: 'x' });
	assert.equal((await r.counted('to', { matched: 7, failed: 6 })).failed, 6);
	assert.deepEqual(op.inbox.filter((m) => m.topic !== 'to'), []);
});

test('a rule is changed, switched off, switched on and deleted with the answer of the operation, and a restart keeps it', async (t) => {
	const r = await rules(t);
	let { op } = r;
	const [first, second] = [1, 2].map((n) => [`SELECT ${n} AS n, last FROM 'in'`, republish('out')]);
	await op.subscribe(['out', 'end']);
	await r.make('end', "SELECT last FROM 'in' WHERE last", republish('end'));
	const comes = async (...expected) => {
		// The rules of one message act in no order of theirs: when the last one's mark is here, the two before it are done.
		for (const body of ['{}', '{}', '{"last":true}'])
			await op.publish('in', body);
		await op.nextMessage('end');
		const came = op.inbox.splice(0).map((m) => JSON.parse(m.payload));
		assert.deepEqual(came.filter((m) => !m.last).map((m) => m.n), expected.flatMap((n) => [n, n]));
	};
	await comes();
	await r.make('r', ...first);
	await comes(1);
	await r.replace('r', ...second);
	await comes(2);
	await r.b.call('DisableTopicRule', { ruleName: 'r' });
	await comes();
	await r.replace('r', ...first, { ruleDisabled: true });
	await comes();
	await r.b.call('EnableTopicRule', { ruleName: 'r' });
	await comes(1);
	await r.b.call('TagResource', { resourceArn: 'arn:aws:iot:us-east-1:123456789012:rule/r', tags: [{ Key: 'a', Value: 'b' }] });
	await comes(1);
	await r.replace('r', "SELECT 3 AS n FROM 'elsewhere'", republish('out'));
	await comes();
	await r.replace('r', ...second);
	for (const signal of ['SIGTERM', 'SIGKILL']) {
		await r.b.restart(signal);
		op = await r.b.operator();
		await op.subscribe(['out', 'end']);
		await comes(2);
	}
	await r.b.call('DeleteTopicRule', { ruleName: 'r' });
	await comes();
	await r.make('r', ...first);
	await comes(1);
});

test('a thousand rules come and go while messages flow', async (t) => {
	const r = await rules(t, { rules: { most_rules: 2000 } }), { op } = r;
	await r.make('end', "SELECT * FROM 'x/end'", republish('end'));
	await op.subscribe('end');
	let flows = true, sent = 0;
	const mark = async () => { await op.publish('x/end', '{}'); await op.nextMessage('end'); };
	// Now and then what was sent is waited for, so that there is always room for more: what finds none is another test's.
	const flow = (async () => {
		for (; flows; sent++) {
			await op.publish(`x/${sent % 100}`, '{"n":1}', { qos: sent % 5 ? 0 : 1 });
			if (sent % 500 === 499)
				await mark();
		}
	})();
	const operator = await Operator.connect(r.b.socket);
	r.b.operators.push(operator);
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 100; i++)
			await operator.call('CreateTopicRule', { ruleName: `r${i}`, topicRulePayload: { sql: `SELECT n + ${round} AS n FROM 'x/${i % 7 ? i : '+'}'`, actions: [republish('y')] } });
		for (let i = 0; i < 100; i++)
			await operator.call(i % 2 ? 'DeleteTopicRule' : 'DisableTopicRule', { ruleName: `r${i}` });
		for (let i = 0; i < 100; i += 2)
			await operator.call('DeleteTopicRule', { ruleName: `r${i}` });
	}
	flows = false;
	await flow;
	await mark();
	assert.deepEqual((await r.b.call('ListTopicRules', {})).rules.map((one) => one.ruleName), ['end']);
});

test('with strict_aws a rule that was made without it stays, fails saying why, and works again without it', async (t) => {
	const r = await rules(t);
	const text = "SELECT list[1] AS n FROM 'in'";
	await r.make('old', text, republish('out'));
	r.b.spec.options.rules.strict_aws = 'true';
	await r.b.restart();
	let op = await r.b.operator();
	await op.publish('in', '{"list":[1,2]}');
	await op.publish('in', '{"list":[1,2]}');
	const { lastError, failed } = await r.counted('old', { failed: 2 });
	assert.match(lastError, /line 1, column 12/);
	assert.equal(failed, 2);
	assert.equal((await r.b.call('GetTopicRule', { ruleName: 'old' })).rule.sql, text);
	assert.match(await r.b.refused('CreateTopicRule', { ruleName: 'new', topicRulePayload: { sql: text, actions: [] } }), /^SqlParseException 400 line 1, column 12/);
	r.b.spec.options.rules.strict_aws = 'false';
	await r.b.restart();
	op = await r.b.operator();
	await op.subscribe('out');
	await op.publish('in', '{"list":[1,2]}');
	assert.deepEqual(await op.next('out'), { n: 2 });
});
