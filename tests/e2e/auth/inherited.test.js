// Policies of thing groups reach the things in them, and who asks what a device may do is told what the broker would do.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const pki = require('../../harness/pki');

const arn = (kind, name) => `arn:aws:iot:*:*:${kind}/${name}`;
const say = (Effect, Action, Resource) => ({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] });
const names = (r) => r.policies.map((p) => p.policyName);
const create = (b, policyName, policy) => b.call('CreatePolicy', { policyName, policyDocument: JSON.stringify(policy) });
const CONNECT = say('Allow', 'iot:Connect', '*');

// site > hall, lamp in hall: connect by its certificate, publish to hall/ by hall, not to hall/secret by site.
async function site(t) {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const made = await b.provision('lamp', CONNECT);
	const { thingGroupArn: siteArn } = await b.call('CreateThingGroup', { thingGroupName: 'site' });
	const { thingGroupArn: hallArn } = await b.call('CreateThingGroup', { thingGroupName: 'hall', parentGroupName: 'site' });
	await create(b, 'hall-policy', say('Allow', 'iot:Publish', arn('topic', 'hall/*')));
	await create(b, 'site-policy', say('Deny', 'iot:Publish', arn('topic', 'hall/secret')));
	await b.call('AttachPolicy', { policyName: 'hall-policy', target: hallArn });
	await b.call('AttachPolicy', { policyName: 'site-policy', target: siteArn });
	return { b, ...made, siteArn, hallArn };
}
const join = (b) => b.call('AddThingToThingGroup', { thingGroupName: 'hall', thingName: 'lamp' });

test('a thing in a group may do what the policies of the group and of those above it say', async (t) => {
	const { b } = await site(t);
	const lamp = await b.tls('lamp').connect();
	let from = b.log.length;
	await lamp.publish('hall/1', 'x');
	await b.logged(/deny publish lamp -> hall\/1: no statement of lamp-policy v1 \(/, from);
	await join(b);
	await lamp.publish('hall/1', 'x');
	await lamp.publish('hall/secret', 'x');
	await b.logged(/deny publish lamp -> hall\/secret: statement 1 of site-policy v1 of group site \(via certificate [0-9a-f]+…\) denies iot:Publish/, from);
	await b.restart();
	const again = await b.tls('lamp').connect();
	from = b.log.length;
	await again.publish('hall/1', 'x');
	await b.call('RemoveThingFromThingGroup', { thingGroupName: 'hall', thingName: 'lamp' });
	await again.publish('hall/2', 'x');
	await b.logged(/deny publish lamp -> hall\/2: no statement of lamp-policy v1 \(/, from);
	assert.doesNotMatch(b.log.slice(from), /deny publish lamp -> hall\/1/);
});

test('the policies of a group count for the client id that is the thing name only', async (t) => {
	const { b, certificateId } = await site(t);
	await join(b);
	const other = await b.tls('other', { certificate: pki.certificate('lamp') }).connect();
	await other.publish('hall/1', 'x');
	await b.logged(/deny publish other -> hall\/1: no statement of lamp-policy v1 \(/, 0);
	assert.equal((await b.call('ExplainAuthorization', { clientId: 'other', certificateId, action: 'publish', topic: 'hall/1' })).decision, 'IMPLICIT_DENY');
});

test('AttachPolicy takes groups, ListAttachedPolicies and ListTargetsForPolicy show them', async (t) => {
	const { b, certificateArn, hallArn, siteArn } = await site(t);
	assert.deepEqual(names(await b.call('ListAttachedPolicies', { target: hallArn })), ['hall-policy']);
	assert.deepEqual(names(await b.call('ListAttachedPolicies', { target: hallArn, recursive: true })), ['hall-policy', 'site-policy']);
	const first = await b.call('ListAttachedPolicies', { target: hallArn, recursive: true, pageSize: 1 });
	assert.deepEqual(names(await b.call('ListAttachedPolicies', { target: hallArn, recursive: true, pageSize: 1, marker: first.nextMarker })), ['site-policy']);
	await b.call('AttachPolicy', { policyName: 'hall-policy', target: certificateArn });
	await b.call('AttachPolicy', { policyName: 'hall-policy', target: siteArn });
	const all = [certificateArn, hallArn, siteArn];
	assert.deepEqual((await b.call('ListTargetsForPolicy', { policyName: 'hall-policy' })).targets, all);
	const pages = [];
	for (let marker; pages.length < 5;) {
		const page = await b.call('ListTargetsForPolicy', { policyName: 'hall-policy', pageSize: 1, marker });
		pages.push(...page.targets);
		marker = page.nextMarker;
		if (!marker)
			break;
	}
	assert.deepEqual(pages, all);
	await b.call('DetachPolicy', { policyName: 'hall-policy', target: certificateArn });
	assert.match(await b.refused('DeletePolicy', { policyName: 'hall-policy' }), /^DeleteConflictException 409 /);
	await b.call('DetachPolicy', { policyName: 'hall-policy', target: hallArn });
	await b.call('DetachPolicy', { policyName: 'hall-policy', target: siteArn });
	await b.call('DeletePolicy', { policyName: 'hall-policy' });
	assert.match(await b.refused('AttachPolicy', { policyName: 'site-policy', target: hallArn.replace(/hall$/, 'ghost') }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('AttachPolicy', { policyName: 'site-policy', target: hallArn.replace(/hall$/, 'a b') }), /^InvalidRequestException 400 /);
	for (let i = 1; i < 10; i++) {
		await create(b, `more${i}`, CONNECT);
		await b.call('AttachPolicy', { policyName: `more${i}`, target: siteArn });
	}
	await create(b, 'eleventh', CONNECT);
	assert.match(await b.refused('AttachPolicy', { policyName: 'eleventh', target: siteArn }), /^LimitExceededException 410 /);
	assert.match(await b.refused('ListTargetsForPolicy', { policyName: 'site-policy', marker: 'abc' }), /^InvalidRequestException 400 /);
});

test('AttachPrincipalPolicy, DetachPrincipalPolicy, ListPolicyPrincipals and ListPrincipalPolicies are the older names', async (t) => {
	const { b, certificateArn, hallArn } = await site(t);
	await b.call('AttachPrincipalPolicy', { policyName: 'hall-policy', principal: certificateArn });
	assert.deepEqual((await b.call('ListPolicyPrincipals', { policyName: 'hall-policy' })).principals, [certificateArn]);
	assert.deepEqual(names(await b.call('ListPrincipalPolicies', { principal: certificateArn })), ['hall-policy', 'lamp-policy']);
	await b.call('DetachPrincipalPolicy', { policyName: 'hall-policy', principal: certificateArn });
	assert.deepEqual(names(await b.call('ListPrincipalPolicies', { principal: certificateArn })), ['lamp-policy']);
	const nobody = certificateArn.replace(/[0-9a-f]{64}/, 'f'.repeat(64));
	assert.match(await b.refused('AttachPrincipalPolicy', { policyName: 'hall-policy', principal: nobody }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('AttachPrincipalPolicy', { policyName: 'hall-policy', principal: hallArn }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('AttachPrincipalPolicy', { policyName: 'ghost', principal: certificateArn }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DetachPrincipalPolicy', { policyName: 'ghost', principal: certificateArn }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DetachPrincipalPolicy', { policyName: 'p' }), /^InvalidRequestException 400 .*'principal'/);
	assert.match(await b.refused('ListPolicyPrincipals', { policyName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListPrincipalPolicies', { principal: nobody }), /^ResourceNotFoundException 404 /);
});

test('GetEffectivePolicies shows those of the certificate and of the groups of the thing', async (t) => {
	const { b, certificateArn, hallArn } = await site(t);
	const effective = async (input) => (await b.call('GetEffectivePolicies', input)).effectivePolicies.map((p) => p.policyName).sort();
	await join(b);
	assert.deepEqual(await effective({ principal: certificateArn }), ['lamp-policy']);
	assert.deepEqual(await effective({ principal: certificateArn, thingName: 'lamp' }), ['hall-policy', 'lamp-policy', 'site-policy']);
	assert.deepEqual(await effective({ thingName: 'lamp' }), ['hall-policy', 'site-policy']);
	assert.deepEqual(await effective({ principal: hallArn }), ['hall-policy', 'site-policy']);
	const [one] = (await b.call('GetEffectivePolicies', { principal: certificateArn })).effectivePolicies;
	assert.deepEqual([JSON.parse(one.policyDocument), one.policyArn.replace(/.*:/, '')], [CONNECT, 'policy/lamp-policy']);
	assert.match(await b.refused('GetEffectivePolicies', {}), /^InvalidRequestException 400 /);
	assert.match(await b.refused('GetEffectivePolicies', { thingName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('GetEffectivePolicies', { principal: 'lamp' }), /^InvalidRequestException 400 /);
});

test('TestAuthorization decides as the broker does', async (t) => {
	const { b, certificateArn, hallArn } = await site(t);
	await join(b);
	await create(b, 'mine', say('Allow', 'iot:Publish', arn('topic', '${iot:Connection.Thing.ThingName}/${iot:Connection.Thing.Attributes[room]}')));
	const own = certificateArn.split(':').slice(0, 5).join(':');
	const ask = async (actionType, resource, more = {}) => {
		const r = await b.call('TestAuthorization', { principal: certificateArn, clientId: 'lamp', authInfos: [{ actionType, resources: [`${own}:${resource}`] }], ...more });
		return r.authResults[0];
	};
	const list = (r) => r.policies.map((p) => p.policyName);
	const allowed = await ask('PUBLISH', 'topic/hall/1');
	assert.deepEqual([allowed.authDecision, list(allowed.allowed), allowed.missingContextValues], ['ALLOWED', ['hall-policy'], []]);
	assert.deepEqual(allowed.authInfo, { actionType: 'PUBLISH', resources: [`${own}:topic/hall/1`] });
	const denied = await ask('PUBLISH', 'topic/hall/secret');
	assert.deepEqual([denied.authDecision, list(denied.denied.explicitDeny)], ['EXPLICIT_DENY', ['site-policy']]);
	const neither = await ask('SUBSCRIBE', 'topicfilter/hall/#');
	assert.deepEqual([neither.authDecision, list(neither.denied.implicitDeny).sort()], ['IMPLICIT_DENY', ['hall-policy', 'lamp-policy', 'site-policy']]);
	assert.equal((await ask('CONNECT', 'client/lamp')).authDecision, 'ALLOWED');
	assert.equal((await ask('PUBLISH', 'topic/hall/1', { policyNamesToSkip: ['hall-policy'] })).authDecision, 'IMPLICIT_DENY');
	const lacking = await ask('PUBLISH', 'topic/lamp/kitchen', { policyNamesToAdd: ['mine'] });
	assert.deepEqual([lacking.authDecision, lacking.missingContextValues], ['IMPLICIT_DENY', ['iot:Connection.Thing.Attributes[room]']]);
	await b.call('UpdateThing', { thingName: 'lamp', attributePayload: { attributes: { room: 'kitchen' } } });
	assert.equal((await ask('PUBLISH', 'topic/lamp/kitchen', { policyNamesToAdd: ['mine'] })).authDecision, 'ALLOWED');
	assert.equal((await ask('PUBLISH', 'topic/hall/1', { principal: hallArn })).authDecision, 'ALLOWED');
	assert.match(await b.refused('TestAuthorization', { principal: certificateArn }), /^InvalidRequestException 400 .*'authInfos'/);
	assert.match(await b.refused('TestAuthorization', { authInfos: [{ actionType: 'FLY', resources: [] }] }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('TestAuthorization', { authInfos: [{ actionType: 'PUBLISH', resources: ['topic/a'] }] }), /^InvalidRequestException 400 .*ARN/);
	assert.match(await b.refused('TestAuthorization', { cognitoIdentityPoolId: 'x', authInfos: [{ resources: [] }] }), /^InvalidRequestException 400 .*Cognito/);
	assert.match(await b.refused('TestAuthorization', { principal: certificateArn, policyNamesToAdd: ['ghost'], authInfos: [{ resources: [] }] }), /^ResourceNotFoundException 404 /);
});

test('ExplainAuthorization names the statement, its policy and the attachment, and what is missing', async (t) => {
	const { b, certificateId, certificateArn, hallArn } = await site(t);
	await join(b);
	const ask = (action, topic, more = {}) => b.call('ExplainAuthorization', { clientId: 'lamp', certificateId, action, topic, ...more });
	const yes = await ask('publish', 'hall/1');
	assert.deepEqual([yes.decision, yes.statement.policyName, yes.statement.number, yes.statement.attachedTo, yes.thingName], ['ALLOWED', 'hall-policy', 1, hallArn, 'lamp']);
	assert.match(yes.why, /^statement 1 of hall-policy, attached to .*thinggroup\/hall, allows iot:Publish$/);
	assert.equal((await ask('iot:Publish', 'hall/secret')).decision, 'EXPLICIT_DENY');
	assert.match((await ask('publish', 'hall/1', { retain: true })).why, /allows iot:RetainPublish/);
	assert.equal((await ask('connect', undefined, { certificateId: undefined, principal: certificateArn })).decision, 'ALLOWED');
	assert.deepEqual((await ask('subscribe', '$share/g/a/#')).resource.split(':').pop(), 'topicfilter/a/#');
	assert.match((await ask('publish', '$aws/things/lamp/nothing')).why, /no service takes this topic/);
	assert.match((await ask('publish', '$SYS/x')).why, /reserved/);
	await create(b, 'typed', say('Allow', 'iot:Publish', arn('topic', '${iot:Connection.Thing.ThingTypeName}/*')));
	await b.call('AttachPolicy', { policyName: 'typed', target: certificateArn });
	const lacking = await ask('publish', 'pump/1');
	assert.deepEqual([lacking.decision, lacking.missing, lacking.policies.length], ['IMPLICIT_DENY', ['iot:Connection.Thing.ThingTypeName'], 4]);
	await b.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
	assert.match((await ask('publish', 'hall/1')).why, /^the certificate is INACTIVE$/);
	assert.match((await ask('publish', 'hall/1', { certificateId: 'f'.repeat(64) })).why, /not registered/);
	assert.match(await b.refused('ExplainAuthorization', { clientId: 'lamp', certificateId, action: 'fly', topic: 'a' }), /^InvalidRequestException 400 .*fly/);
	assert.match(await b.refused('ExplainAuthorization', { clientId: 'lamp', certificateId, action: 'publish' }), /^InvalidRequestException 400 .*topic/);
	assert.match(await b.refused('ExplainAuthorization', { clientId: 'lamp', action: 'connect' }), /^InvalidRequestException 400 .*certificateId/);
	assert.match(await b.refused('ExplainAuthorization', { certificateId, action: 'connect' }), /^InvalidRequestException 400 .*'clientId'/);
});
