// Every operation through Debian's boto3, held against the model that boto3 brings; what the model forbids is refused as it says; and what
// operations say when the broker is in trouble.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('../harness/test');
const { ALLOW_ALL } = require('../harness/broker');
const pki = require('../harness/pki');
const { account, prepared, destination, change, python, cases } = require('./account');

// What these are given is refused before anything is written, or so already: they want a request, a CA, five minutes.
const REFUSED_BEFORE = ['AttachPrincipalPolicy', 'CreateCertificateFromCsr', 'DeleteCACertificate', 'DeleteCertificate', 'DeletePolicy', 'DeleteThingType',
	'RegisterCACertificate', 'RegisterCertificate', 'UpdateCACertificate'];
// What needs no record that is there to be damaged: new things, and CAs.
const READS_NOTHING = ['CreateBillingGroup', 'CreateCertificateFromCsr', 'CreateKeysAndCertificate', 'CreatePolicy', 'CreateRoleAlias', 'DeleteCACertificate',
	'DeleteCertificate', 'DescribeCACertificate', 'DescribeEndpoint', 'ListCACertificates', 'ListCertificatesByCA', 'RegisterCACertificate',
	'RegisterCertificate', 'RegisterCertificateWithoutCA', 'UpdateCACertificate'];

const words = (line) => Object.fromEntries([...line.matchAll(/(\S+) (\d+)/g)].map(([, k, v]) => [k, Number(v)]));

async function good(t, script, args) {
	const r = await python(t, script, args);
	assert.deepEqual(r.bad, []);
	assert.equal(r.code, 0, r.stderr);
	return r;
}

test('each operation succeeds and fails as its model says, and so is each constraint of its inputs kept', async (t) => {
	const a = await prepared(t);
	const rows = words((await good(t, 'cases.py', [a.setup])).last);
	assert.ok(rows.operations >= 100 && rows.rows >= 330 && rows.errors >= 140, JSON.stringify(rows));
	const { operations, checked, refused } = words((await good(t, 'model.py', [a.setup])).last);
	assert.ok(operations >= 110 && checked > 2000 && refused === checked, `${operations}: ${refused} of ${checked}`);
}, { seconds: 400 });

const of = (names, services) => services.map((service) => `${service}=${names[service].join()}`);
const IOT = ['iot', 'iot-data'], CLICKS = ['iot1click-devices', 'iot1click-projects'];
const known = (a, service) => a.names[service].filter((name) => !cases(service).newer.includes(name)).sort();

// Which operations said the error, of all that boto3 knows.
async function trouble(t, a, error, services, inputs = {}) {
	const { lines } = await good(t, 'trouble.py', [...a.login, error, JSON.stringify(inputs), ...of(a.names, services)]);
	return Object.fromEntries(lines.map((line) => line.split(' ')).map(([service, list]) => [service, list ? list.split(',') : []]));
}

// What is there before the trouble begins, and inputs about it; where none is given samples.py makes one, about things of the name a.
async function things(t, a) {
	const { b } = a.h, policyDocument = JSON.stringify(ALLOW_ALL), policyName = 'a', thingName = 'a', thingGroupName = 'a', billingGroupName = 'a';
	const roleArn = 'arn:aws:iam::123456789012:role/reader', resourceArn = 'arn:aws:iot:us-east-1:123456789012:thingtype/a';
	const topicRulePayload = { sql: "SELECT * FROM 'a'", actions: [] };
	const cert = await b.call('CreateKeysAndCertificate', { setAsActive: true }), principal = cert.certificateArn, { certificateId } = cert;
	for (const [operation, input] of Object.entries({
		CreateThingType: { thingTypeName: 'a' }, CreateThing: { thingName }, CreateThingGroup: { thingGroupName }, CreateBillingGroup: { billingGroupName },
		CreatePolicy: { policyName, policyDocument }, CreatePolicyVersion: { policyName, policyDocument }, AttachPolicy: { policyName, target: principal },
		AttachThingPrincipal: { thingName, principal }, CreateRoleAlias: { roleAlias: 'a', roleArn }, CreateDomainConfiguration: { domainConfigurationName: 'a' },
		UpdateDomainConfiguration: { domainConfigurationName: 'a', domainConfigurationStatus: 'DISABLED' }, GetRegistrationCode: {},
		SetV2LoggingOptions: { defaultLogLevel: 'INFO' }, SetV2LoggingLevel: { logTarget: { targetType: 'THING_GROUP', targetName: 'a' }, logLevel: 'INFO' },
		TagResource: { resourceArn, tags: [{ Key: 'k', Value: 'v' }] }, AddThingToThingGroup: { thingName, thingGroupName },
		AddThingToBillingGroup: { thingName, billingGroupName }, UpdateThingShadow: { thingName, payload: { state: {} } },
		UpdateEventConfigurations: { eventConfigurations: { THING: { Enabled: true } } }, CreateTopicRule: { ruleName: 'a', topicRulePayload },
	}))
		await b.call(operation, input);
	const there = await destination(t, b), arn = there.destination;
	for (const [operation, input] of [['CreateThing', { thingName: 'b' }], ['CreateThingGroup', { thingGroupName: 'b' }]])
		await b.call(operation, input);
	return {
		CreateThingType: { thingTypeName: 'b' }, CreateThing: { thingName: 'c' }, CreateThingGroup: { thingGroupName: 'c' }, CreateBillingGroup: { billingGroupName: 'b' },
		CreatePolicy: { policyName: 'b', policyDocument }, CreatePolicyVersion: { policyName, policyDocument }, CreateRoleAlias: { roleAlias: 'b', roleArn },
		CreateDomainConfiguration: { domainConfigurationName: 'b' }, DeletePolicyVersion: { policyName, policyVersionId: '2' },
		SetDefaultPolicyVersion: { policyName, policyVersionId: '2' }, AttachPolicy: { policyName, target: 'arn:aws:iot:us-east-1:123456789012:thinggroup/a' },
		DetachPolicy: { policyName, target: principal }, AttachPrincipalPolicy: { policyName, principal }, DetachPrincipalPolicy: { policyName, principal },
		ListAttachedPolicies: { target: principal }, ListPrincipalPolicies: { principal }, ListPrincipalThings: { principal }, GetEffectivePolicies: { principal },
		TestAuthorization: { principal, authInfos: [{ actionType: 'PUBLISH', resources: ['arn:aws:iot:us-east-1:123456789012:topic/x'] }] },
		AttachThingPrincipal: { thingName: 'b', principal }, DetachThingPrincipal: { thingName, principal }, DescribeCertificate: { certificateId },
		UpdateCertificate: { certificateId, newStatus: 'INACTIVE' }, RegisterCertificateWithoutCA: { certificatePem: pki.certificate('other').pem },
		TagResource: { resourceArn, tags: [{ Key: 'a', Value: 'b' }] }, UntagResource: { resourceArn, tagKeys: ['k'] }, ListTagsForResource: { resourceArn },
		AddThingToThingGroup: { thingName: 'b', thingGroupName }, RemoveThingFromThingGroup: { thingName, thingGroupName },
		AddThingToBillingGroup: { thingName: 'b', billingGroupName }, RemoveThingFromBillingGroup: { thingName, billingGroupName },
		UpdateThingGroupsForThing: { thingName: 'b', thingGroupsToAdd: ['a'] }, DeleteThing: { thingName: 'b' }, DeleteThingGroup: { thingGroupName: 'b' },
		DeleteV2LoggingLevel: { targetType: 'THING_GROUP', targetName: 'a' }, UpdateThingShadow: { thingName, payload: '{"state":{"desired":{"a":1}}}' },
		SetV2LoggingLevel: { logTarget: { targetType: 'THING_GROUP', targetName: 'b' }, logLevel: 'INFO' },
		UpdateEventConfigurations: { eventConfigurations: { THING: { Enabled: false } } },
		CreateTopicRule: { ruleName: 'b', topicRulePayload }, ReplaceTopicRule: { ruleName: 'a', topicRulePayload },
		CreateTopicRuleDestination: { destinationConfiguration: { httpUrlConfiguration: { confirmationUrl: 'http://127.0.0.1:1/' } } },
		ConfirmTopicRuleDestination: { confirmationToken: there.token }, GetTopicRuleDestination: { arn }, UpdateTopicRuleDestination: { arn, status: 'IN_PROGRESS' },
		DeleteTopicRuleDestination: { arn },
	};
}

test('429: with a full inbox every operation is throttled, with the status of its model', async (t) => {
	const a = await account(t, { options: { core: { inbox: '1' } } });
	const said = { ...await trouble(t, a, 'ThrottlingException', IOT), ...await trouble(t, a, 'TooManyRequestsException', CLICKS) };
	for (const service of Object.keys(a.names))
		assert.deepEqual(said[service], known(a, service));
});

test('503: when the store takes nothing more, what writes says so', async (t) => {
	const a = await account(t, { wrap: ['prlimit', '--fsize=1000000000:unlimited', 'env', '--ignore-signal=XFSZ'] });
	const inputs = await things(t, a);
	execFileSync('prlimit', ['--pid', a.h.b.pid, '--fsize=1000:unlimited']);
	const said = await trouble(t, a, 'ServiceUnavailableException', IOT, inputs);
	const reads = /^(Get|List|Describe|Test)/;
	assert.deepEqual(said.iot, known(a, 'iot').filter((name) => !reads.test(name) && !REFUSED_BEFORE.includes(name)));
	assert.deepEqual(said['iot-data'], ['DeleteThingShadow', 'UpdateThingShadow']);
});

// The same of buttons; samples are about those of the name a, and about the project x.
async function buttons(b) {
	const placementTemplate = { deviceTemplates: { a: { deviceType: 'button' } } }, place = { projectName: 'a', placementName: 'a' };
	for (const [operation, input] of [['CreateClaimCode', { claimCode: 'C-1234567890', deviceIds: ['a'] }], ['ClaimDevicesByClaimCode', { claimCode: 'C-1234567890' }],
		['CreateProject', { projectName: 'a', placementTemplate }], ['CreateProject', { projectName: 'x' }], ['CreatePlacement', place],
		['AssociateDeviceWithPlacement', { ...place, deviceTemplateName: 'a', deviceId: 'a' }]])
		await b.call(operation, input);
	const ResourceArn = 'arn:aws:iot1click:us-east-1:123456789012:devices/a', TagKeys = ['k'], Tags = { k: 'v' };
	return Object.fromEntries(Object.entries({ ClaimDevicesByClaimCode: { ClaimCode: 'C-1234567890' }, TagResource: { ResourceArn, Tags }, UntagResource: { ResourceArn, TagKeys },
		ListTagsForResource: { ResourceArn } }).map(([name, input]) => [`iot1click-devices ${name}`, input]));
}

test('500: a record that is damaged is an internal failure of each operation that reads it', async (t) => {
	const a = await account(t);
	const inputs = await things(t, a), pressed = await buttons(a.h.b);
	await change(a.h, "update record set data = 'no json' where cast(key as text) not like 'registry/access-key/%'");
	const said = await trouble(t, a, 'InternalFailureException', IOT, inputs);
	assert.deepEqual(known(a, 'iot').filter((name) => !said.iot.includes(name)), READS_NOTHING);
	assert.deepEqual(said['iot-data'], ['DeleteThingShadow', 'GetThingShadow', 'ListNamedShadowsForThing', 'UpdateThingShadow']);
	const clicks = await trouble(t, a, 'InternalFailureException', CLICKS, pressed);
	for (const service of CLICKS)
		assert.deepEqual(clicks[service], known(a, service));
});
