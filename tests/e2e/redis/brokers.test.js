// Several brokers, one truth: what one of them changes counts at the others at once, or within a second where they keep a copy of it.
'use strict';
const assert = require('node:assert/strict');
const { test, sleep, until, SLOW } = require('../../harness/test');
const { ALLOW_ALL } = require('../../harness/broker');
const { brokers, counters, letsIn } = require('../../harness/shared');
const { Shadow } = require('../../harness/shadow');
const pki = require('../../harness/pki');

// The device is away from that broker within a second of the change.
async function goesWithin(ms, device, change) {
	await change();
	const since = performance.now();
	await device.closed();
	assert.ok(performance.now() - since < ms * SLOW, `it took ${Math.round(performance.now() - since)} ms`);
}
test('the registry that is written at one broker is read at the other at once', async (t) => {
	const [a, b] = await brokers(t, 2);
	for (let i = 0; i < 40; i++) {
		const [here, there] = i % 2 ? [a, b] : [b, a];
		await here.call('CreateThing', { thingName: `lamp${i}`, attributePayload: { attributes: { n: `${i}` } } });
		assert.equal((await there.call('DescribeThing', { thingName: `lamp${i}` })).attributes.n, `${i}`);
		await there.call('UpdateThing', { thingName: `lamp${i}`, attributePayload: { attributes: { n: 'x' } } });
		assert.equal((await here.call('DescribeThing', { thingName: `lamp${i}` })).attributes.n, 'x');
	}
	assert.equal((await b.call('ListThings', { maxResults: 100 })).things.length, 40);
});

test('a certificate that is registered at one broker gets in at the other, and out when it is not ACTIVE any more', async (t) => {
	const [a, b] = await brokers(t, 2);
	for (const [name, change] of [
		['inactive', (certificateId) => a.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' })],
		['revoked', (certificateId) => a.call('UpdateCertificate', { certificateId, newStatus: 'REVOKED' })],
		['deleted', async (certificateId, certificateArn) => {
			await a.call('DetachThingPrincipal', { thingName: 'deleted', principal: certificateArn });
			await a.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
			await a.call('DeleteCertificate', { certificateId, forceDelete: true });
		}],
	]) {
		const { certificateId, certificateArn } = await a.provision(name);
		const device = await letsIn(b, name);
		await goesWithin(1000, device, () => change(certificateId, certificateArn));
		assert.equal(await b.tls(name).refusedConnect(), 5);
	}
	const again = pki.certificate('inactive').id;
	await b.call('UpdateCertificate', { certificateId: again, newStatus: 'ACTIVE' });
	await b.tls('inactive').connect(); /* at the broker that made it so there is nothing to wait for */
	await letsIn(a, 'inactive');
});

test('a policy that is changed, attached or detached at one broker is in force at the other', async (t) => {
	const [a, b] = await brokers(t, 2);
	const policy = (...topics) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['iot:Connect', 'iot:Subscribe', 'iot:Receive'], Resource: '*' },
		{ Effect: 'Allow', Action: 'iot:Publish', Resource: topics.map((x) => `arn:aws:iot:us-east-1:123456789012:topic/${x}`) }] });
	const { certificateArn } = await a.provision('lamp', policy('one'));
	const lamp = await letsIn(b, 'lamp');
	await lamp.subscribe(['one', 'two', 'three']);
	await lamp.publish('one', '1');
	await lamp.nextMessage('one');
	await a.call('CreatePolicyVersion', { policyName: 'lamp-policy', policyDocument: JSON.stringify(policy('one', 'two')), setAsDefault: true });
	const since = performance.now();
	await until('two to be allowed', async () => {
		const d = await letsIn(b, 'lamp');
		await d.subscribe('two');
		await d.publish('two', '2').catch(() => {});
		return d.open && d.nextMessage('two').catch(() => null);
	});
	assert.ok(performance.now() - since < 2000 * SLOW);
	await a.call('CreatePolicy', { policyName: 'nothing', policyDocument: JSON.stringify({ ...policy('x'), Statement: [{ Effect: 'Deny', Action: 'iot:Connect', Resource: '*' }] }) });
	await a.call('AttachPolicy', { policyName: 'nothing', target: certificateArn });
	await until('connects to be denied', async () => b.tls('lamp').connect().then(() => false, () => true));
	await a.call('DetachPolicy', { policyName: 'nothing', target: certificateArn });
	await letsIn(b, 'lamp');
});

test('shadows written from both sides: versions strictly increase, and a get never shows less than was accepted', async (t) => {
	const [a, b] = await brokers(t, 2);
	await a.provision('lamp');
	await a.provision('twin', ALLOW_ALL);
	const ends = [];
	for (const [broker, name] of [[a, 'lamp'], [b, 'twin']])
		ends.push(await new Shadow(await letsIn(broker, name), 'lamp').listen(['get/accepted', 'update/accepted', 'update/rejected', 'get/rejected']));
	let newest = 0;
	const versions = [];
	const drive = async (shadow, who) => {
		for (let i = 0; i < 60; i++) {
			const { version } = await shadow.update({ state: { reported: { [who]: i } } });
			versions.push(version);
			newest = Math.max(newest, version);
			const floor = newest, got = await shadow.get();
			assert.ok(got.version >= floor, `get shows ${got.version}, ${floor} was accepted`);
		}
	};
	await Promise.all([drive(ends[0], 'a'), drive(ends[1], 'b')]);
	assert.equal(new Set(versions).size, 120);
	assert.equal(Math.max(...versions), 120);
});

test('rules, their filters and their end are heard of', async (t) => {
	const [a, b] = await brokers(t, 2, { plugins: ['rules'] });
	const rule = (from, to) => ({ sql: `SELECT * FROM '${from}'`, actions: [{ republish: { roleArn: 'arn:aws:iam::123456789012:role/r', topic: to } }] });
	const op = await b.operator();
	await op.subscribe('out/#');
	const acts = (from, to) => until(`a rule from ${from} to ${to}`, async () => {
		await op.publish(from, '{}');
		return op.got(to).length;
	});
	await a.call('CreateTopicRule', { ruleName: 'r', topicRulePayload: rule('in/1', 'out/1') });
	await acts('in/1', 'out/1');
	await a.call('ReplaceTopicRule', { ruleName: 'r', topicRulePayload: rule('in/2', 'out/2') });
	await acts('in/2', 'out/2');
	await a.call('DeleteTopicRule', { ruleName: 'r' });
	await until('the rule to be gone', async () => {
		const had = op.got('out/2').length;
		await op.publish('in/2', '{}');
		await op.publish('probe', '{}');
		await sleep(100);
		return op.got('out/2').length === had;
	});
});

test('Redis comes back empty: certificates are unknown and their connections go; filled again, all works without a restart', async (t) => {
	const all = await brokers(t, 2), [a, b] = all;
	await a.provision('lamp');
	const here = await a.tls('lamp').connect(), there = await letsIn(b, 'lamp');
	await all.r.cli('FLUSHALL');
	await Promise.all([here.closed(), there.closed()]);
	assert.equal(await b.tls('lamp').refusedConnect(), 5);
	await until('a thing to be made', () => b.call('CreateThing', { thingName: 'other' }).then(() => true, () => false));
	await b.provision('lamp');
	await b.tls('lamp').connect();
	await letsIn(a, 'lamp');
	assert.ok((await counters(a)).resets >= 1);
});

test('while Redis is away those that there are go on, and after a while nobody new gets in', async (t) => {
	const all = await brokers(t, 1, { options: { auth: { store_lost: '2s' } } }), [a] = all;
	await a.provision('lamp');
	await a.provision('fan');
	const lamp = await a.tls('lamp').connect();
	await lamp.subscribe('x');
	all.r.pause();
	await a.tls('fan').connect(); /* believed for two seconds */
	await a.logged(/deny connect .*: the store does not answer/, (await until('it to be refused', async () => {
		const from = a.log.length;
		return a.tls('fan').connect().then((d) => d.end().then(() => null), () => ({ from }));
	})).from);
	await lamp.publish('x', '1');
	await lamp.nextMessage('x');
	all.r.resume();
	await letsIn(a, 'fan');
});

test('a broker ends in order while Redis stands still', async (t) => {
	const all = await brokers(t, 1), [a] = all;
	await a.provision('lamp');
	all.r.pause();
	const since = performance.now();
	await a.stop();
	assert.ok(performance.now() - since < 15000 * SLOW, `it took ${Math.round(performance.now() - since)} ms`);
	all.r.resume();
});
