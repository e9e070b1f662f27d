// Operations that Debian's boto3 does not know, being newer than it or our own: signed requests built from the rows that ListOperations tells.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../harness/test');
const { ALL } = require('../harness/broker');
const { serve } = require('../harness/http');
const { sign } = require('../harness/sigv4');

// A client that knows nothing but the rows.
class Rows {
	constructor(h, key, operations) {
		Object.assign(this, { h, key, rows: Object.fromEntries(operations.map((o) => [o.name, o])) });
	}
	async call(name, input = {}) {
		const row = this.rows[name], at = (place) => row.inputs.filter((i) => i.in === place && input[i.name] !== undefined);
		const wire = (i) => i.wire || i.name;
		const path = row.route.replace(/\{(\w+)[^}]*\}/g, (_, n) => encodeURIComponent(input[n]));
		const query = at('query').flatMap((i) => [].concat(input[i.name]).map((v) => `${wire(i)}=${encodeURIComponent(v)}`)).join('&');
		const headers = Object.fromEntries(at('header').map((i) => [wire(i), input[i.name]]));
		const [whole] = at('whole body');
		const body = whole ? JSON.stringify(input[whole.name]) : at('body').length ? JSON.stringify(Object.fromEntries(at('body').map((i) => [i.name, input[i.name]]))) : '';
		const request = { method: row.method, path: path + (query && `?${query}`), host: `127.0.0.1:${this.h.port}`, headers, body, service: row.service };
		const r = await this.h.ask(row.method, request.path, body || undefined, sign(this.key, request));
		return r.status === 200 ? r.json : `${r.status} ${r.headers['x-amzn-errortype']}`;
	}
}

async function rows(t, spec = {}) {
	const h = await serve(t, { ...spec, options: { http: { auth: 'signed' } } });
	const key = await h.b.call('CreateAccessKey', { policyNames: ['*'] });
	return { h, c: new Rows(h, key, (await h.b.call('ListOperations', {})).operations) };
}

test('ListThingPrincipalsV2, ListPrincipalThingsV2, UpdateThingType and ExplainAuthorization', async (t) => {
	const { h, c } = await rows(t);
	const { certificateArn: principal, certificateId } = await h.b.provision('lamp');
	assert.deepEqual(await c.call('ListThingPrincipalsV2', { thingName: 'lamp' }), { thingPrincipalObjects: [{ principal, thingPrincipalType: 'NON_EXCLUSIVE_THING' }] });
	assert.deepEqual(await c.call('ListPrincipalThingsV2', { principal }), { principalThingObjects: [{ thingName: 'lamp', thingPrincipalType: 'NON_EXCLUSIVE_THING' }] });
	assert.deepEqual(await c.call('ListThingPrincipalsV2', { thingName: 'lamp', thingPrincipalType: 'EXCLUSIVE_THING' }), { thingPrincipalObjects: [] });
	assert.equal(await c.call('ListThingPrincipalsV2', { thingName: 'none' }), '404 ResourceNotFoundException');
	assert.equal(await c.call('ListPrincipalThingsV2', { principal, thingPrincipalType: 'OTHER' }), '400 InvalidRequestException');
	await c.call('CreateThingType', { thingTypeName: 'bulb' });
	assert.deepEqual(await c.call('UpdateThingType', { thingTypeName: 'bulb', thingTypeProperties: { mqtt5Configuration: { propagatingAttributes: [{ userPropertyKey: 'k', thingAttribute: 'a' }] } } }), {});
	assert.equal((await c.call('DescribeThingType', { thingTypeName: 'bulb' })).thingTypeProperties.mqtt5Configuration.propagatingAttributes.length, 1);
	assert.equal(await c.call('UpdateThingType', { thingTypeName: 'none' }), '404 ResourceNotFoundException');
	const explained = await c.call('ExplainAuthorization', { clientId: 'lamp', certificateId, action: 'publish', topic: 'a/b' });
	assert.equal(explained.decision, 'ALLOWED', JSON.stringify(explained));
});

test('what is ours alone answers over HTTP too: DescribeBroker, DescribeCounters, ListClients, ListActivity', async (t) => {
	const { h, c } = await rows(t);
	const device = await h.b.device('lamp');
	assert.equal((await c.call('DescribeBroker')).pid, h.b.pid);
	assert.ok((await c.call('DescribeCounters')).counters.calls > 0);
	assert.ok((await c.call('ListClients')).clients.some((x) => x.clientId === 'lamp' && x.connected));
	await device.publish('a/b', { x: 1 });
	assert.ok((await c.call('ListActivity', { clientId: 'lamp' })).activity.length > 0);
	assert.equal(await c.call('ListActivity', { clientId: 'nobody' }), '404 ResourceNotFoundException');
	assert.deepEqual(Object.keys(await c.call('ListOperations')), ['operations']);
});

test('what rules do is asked over HTTP: DryRunTopicRule, ListTopicRuleStatistics, TraceTopicRule', async (t) => {
	const { c } = await rows(t, { plugins: [...ALL, 'rules'] });
	const topicRulePayload = { sql: "SELECT temp FROM 'rooms/+' WHERE temp > 30", actions: [] };
	const tried = await c.call('DryRunTopicRule', { ruleName: 'hot', topicRulePayload, topic: 'rooms/attic', payload: '{"temp":31,"x":1}' });
	assert.deepEqual([tried.matched, tried.output], [true, { temp: 31 }]);
	assert.equal(await c.call('DryRunTopicRule', { ruleName: 'hot', topic: 'rooms/attic' }), '404 ResourceNotFoundException');
	assert.deepEqual(Object.keys(await c.call('ListTopicRuleStatistics')), ['statistics', 'rules']);
	assert.equal(await c.call('TraceTopicRule', { ruleName: 'hot' }), '404 ResourceNotFoundException');
	assert.deepEqual(await c.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload }), {});
	assert.deepEqual((await c.call('TraceTopicRule', { ruleName: 'hot', after: 7 })).traces, []);
});

test('what has failed for good is asked over HTTP: ListDeadLetters, RedeliverDeadLetters, DeleteDeadLetters, ListRuleLanes', async (t) => {
	const { c } = await rows(t, { plugins: [...ALL, 'rules'] });
	assert.deepEqual(await c.call('ListRuleLanes'), { lanes: [] });
	assert.deepEqual(await c.call('ListDeadLetters', { ruleName: 'hot', maxResults: 5 }), { deadLetters: [] });
	assert.deepEqual(await c.call('RedeliverDeadLetters', { ruleName: 'hot', ids: ['0'.repeat(32)] }), { ids: [], redelivered: 0, remaining: 0 });
	assert.deepEqual(await c.call('DeleteDeadLetters', { ruleName: 'hot', ids: ['0'.repeat(32), 'f'.repeat(32)] }), { ids: [], deleted: 0, remaining: 0 });
	assert.equal(await c.call('DeleteDeadLetters', { ruleName: 'hot', ids: ['x'] }), '400 InvalidRequestException');
});

test('access keys are no key\'s: CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey', async (t) => {
	const { c } = await rows(t);
	for (const [name, input] of [['CreateAccessKey', { policyNames: ['*'] }], ['ListAccessKeys', {}], ['UpdateAccessKey', { accessKeyId: c.key.accessKeyId, status: 'Inactive' }],
		['DeleteAccessKey', { accessKeyId: c.key.accessKeyId }]])
		assert.equal(await c.call(name, input), '403 ForbiddenException', name);
	assert.ok((await c.call('DescribeBroker')).pid > 0);
});

test('codes for buttons are made over HTTP: CreateClaimCode, ListClaimCodes, DeleteClaimCode, ListUnclaimedDevices', async (t) => {
	const { c } = await rows(t, { plugins: [...ALL, 'button'] });
	const { claimCode } = await c.call('CreateClaimCode', { deviceIds: ['bell'] });
	assert.deepEqual((await c.call('ListUnclaimedDevices')).devices.map((d) => d.deviceId), ['bell']);
	assert.deepEqual((await c.call('ListClaimCodes', { maxResults: 1 })).claimCodes.map((x) => x.claimCode), [claimCode]);
	assert.equal(await c.call('CreateClaimCode', { claimCode, deviceIds: ['bell'] }), '409 ResourceConflictException');
	assert.deepEqual(await c.call('DeleteClaimCode', { claimCode }), {});
	assert.equal(await c.call('DeleteClaimCode', { claimCode }), '404 ResourceNotFoundException');
});
