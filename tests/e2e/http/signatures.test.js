// Signature Version 4 and access keys: what is believed, what is refused and in which words, and what a key's policies allow.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('../../harness/test');
const { serve, prepare } = require('../../harness/http');
const { sign, presign, chunked } = require('../../harness/sigv4');

const MINUTE = 60000;
const ARN = 'arn:aws:iot:us-east-1:123456789012';
const signed = (t, spec) => serve(t, { ...spec, options: { ...(spec || {}).options, http: { auth: 'signed' } } });
const key = (h, ...policyNames) => h.b.call('CreateAccessKey', { policyNames: policyNames.length ? policyNames : ['*'] });

function requester(h, k) {
	return (method, p, body, more = {}) => {
		const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
		const headers = sign(k, { method, path: p, host: `127.0.0.1:${h.port}`, body: text, ...more });
		return h.ask(method, p, text, { ...headers, ...more.forged });
	};
}
const words = (r) => `${r.status} ${r.headers['x-amzn-errortype']} ${(r.json || {}).message}`;
const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, Resource = '*') => ({ Effect: 'Allow', Action, Resource });

test.smoke('a signed request is answered, repeated ones too, and its region is in the ARNs', async (t) => {
	const h = await signed(t);
	const k = await key(h);
	const ask = requester(h, k);
	assert.equal((await ask('POST', '/things/lamp', { attributePayload: { attributes: { a: '1' } } })).status, 200);
	assert.equal((await ask('GET', '/things/lamp', undefined, { region: 'eu-west-1' })).json.thingArn, 'arn:aws:iot:eu-west-1:123456789012:thing/lamp');
	const same = { method: 'GET', path: '/things?maxResults=1', host: `127.0.0.1:${h.port}` };
	const headers = sign(k, same);
	for (let i = 0; i < 3; i++)
		assert.equal((await h.ask('GET', same.path, undefined, headers)).status, 200);
	assert.equal((await ask('GET', '/things/lamp', undefined, { service: 'execute-api' })).status, 200);
	assert.equal((await ask('POST', '/things/lamp/shadow', { state: { reported: { on: true } } }, { service: 'iotdata' })).status, 200);
	assert.equal((await ask('GET', '/things/lamp/shadow', undefined, { service: 'iotdata' })).json.state.reported.on, true);
});

test('what is not signed, or wrongly, is refused in the words of AWS', async (t) => {
	const h = await signed(t);
	const k = await key(h);
	const ask = requester(h, k);
	const stranger = { ...k, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }, forger = { ...k, secretAccessKey: 'guessed' };
	const mismatch = /^403 InvalidSignatureException The request signature we calculated does not match the signature you provided\. Check your AWS Secret/;
	assert.equal(words(await h.ask('GET', '/things')), '403 MissingAuthenticationTokenException Missing Authentication Token');
	assert.match(words(await h.ask('GET', '/things', undefined, { authorization: 'Bearer x' })), /^403 IncompleteSignatureException Authorization header requires 'Credential'/);
	assert.equal(words(await requester(h, stranger)('GET', '/things')), '403 UnrecognizedClientException The security token included in the request is invalid.');
	assert.match(words(await requester(h, forger)('GET', '/things')), mismatch);
	assert.match(words(await ask('GET', '/things', undefined, { forged: { host: 'elsewhere' } })), mismatch);
	assert.match(words(await ask('GET', '/things', undefined, { forged: { 'x-amzn-principal': 'x' } })), /^403 InvalidSignatureException There were headers present in the request which were not signed/);
	assert.match(words(await ask('GET', '/things', undefined, { leave: ['host'] })), /'Host' or ':authority' must be a 'SignedHeader'/);
	assert.match(words(await ask('GET', '/things', undefined, { headers: { 'x-amz-security-token': 'x' } })), /^403 UnrecognizedClientException/);
	const late = words(await ask('GET', '/things', undefined, { at: Date.now() - 6 * MINUTE }));
	assert.match(late, /^403 InvalidSignatureException Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/);
	const early = words(await ask('GET', '/things', undefined, { at: Date.now() + 6 * MINUTE }));
	assert.match(early, /^403 InvalidSignatureException Signature not yet current: .* is still later than .* \+ 5 min\.\)$/);
	assert.equal((await ask('GET', '/things', undefined, { at: Date.now() - 4 * MINUTE })).status, 200);
	assert.equal((await ask('GET', '/things', undefined, { at: Date.now() + 4 * MINUTE })).status, 200);
	assert.equal((await h.b.call('ListThings', {})).things.length, 0);
	assert.equal(await h.metric('skeeter_http_unidentified_total'), 10);
});

test('a body, a path or a query that was changed on its way is refused', async (t) => {
	const h = await signed(t);
	const k = await key(h);
	const host = `127.0.0.1:${h.port}`;
	const headers = sign(k, { method: 'POST', path: '/things/lamp?a=1', host, body: '{}' });
	assert.equal((await h.ask('POST', '/things/lamp?a=1', '{"thingTypeName":"x"}', headers)).status, 403);
	assert.equal((await h.ask('POST', '/things/fan?a=1', '{}', headers)).status, 403);
	assert.equal((await h.ask('POST', '/things/lamp?a=2', '{}', headers)).status, 403);
	assert.equal((await h.ask('PUT', '/things/lamp?a=1', '{}', headers)).status, 403);
	assert.equal((await h.ask('POST', '/things/lamp?a=1', '{}', { ...headers, authorization: headers.authorization.replace(/.$/, (c) => (c === '0' ? '1' : '0')) })).status, 403);
	assert.equal((await h.ask('POST', '/things/lamp?a=1', '{}', headers)).status, 200);
});

test('odd names are signed as AWS signs them: encoded twice in the path, once in the query', async (t) => {
	const h = await signed(t);
	const ask = requester(h, await key(h));
	assert.equal((await ask('POST', '/things/a%3Ab', {})).json.thingName, 'a:b');
	assert.equal((await ask('GET', '/things/a:b')).json.thingName, 'a:b');
	assert.equal((await ask('POST', '/policies/p%40q%2Cr', { policyDocument: policy(allow('iot:*')) })).json.policyName, 'p@q,r');
	assert.equal((await ask('GET', `/tags?resourceArn=${encodeURIComponent(`${ARN}:policy/p@q,r`)}`)).status, 200);
	assert.match(words(await ask('GET', '/things/%e1%88%b4%20%2F')), /^400 InvalidRequestException/);
	assert.equal((await ask('GET', '/things?maxResults=10&nextToken=&attributeName=%7e')).status, 400);
});

test('a presigned request is good for as long as it says', async (t) => {
	const h = await signed(t);
	const k = await key(h);
	await h.b.call('CreateThing', { thingName: 'lamp' });
	const request = { method: 'GET', path: '/things?maxResults=5', host: `127.0.0.1:${h.port}`, seconds: 3600 };
	assert.deepEqual((await h.ask('GET', presign(k, request))).json.things.map((x) => x.thingName), ['lamp']);
	assert.equal((await h.ask('GET', presign(k, { ...request, at: Date.now() - 50 * MINUTE }))).status, 200);
	assert.match(words(await h.ask('GET', presign(k, { ...request, at: Date.now() - 61 * MINUTE }))), /^403 InvalidSignatureException Signature expired: .* - 3600 sec\.\)$/);
	assert.match(words(await h.ask('GET', presign(k, { ...request, seconds: 604801 }))), /X-Amz-Expires must be a number of seconds from 1 to 604800$/);
	assert.match(words(await h.ask('GET', presign(k, request).replace('maxResults=5', 'maxResults=6'))), /does not match/);
	assert.match(words(await h.ask('DELETE', presign(k, request))), /does not match/);
	assert.match(words(await h.ask('GET', '/things?X-Amz-Algorithm=AWS4-HMAC-SHA256')), /^403 IncompleteSignatureException AWS query-string parameters must include/);
});

test('chunked and unsigned bodies are taken, and damaged chunks are not', async (t) => {
	const h = await signed(t);
	const k = await key(h);
	const request = { method: 'POST', path: '/things/lamp/shadow', host: `127.0.0.1:${h.port}`, service: 'iotdata' };
	await h.b.call('CreateThing', { thingName: 'lamp' });
	const { headers, body } = chunked(k, request, ['{"state":{"reported"', ':{"on":true}}}']);
	const taken = await h.ask('POST', request.path, body, headers);
	assert.equal(taken.json.version, 1, taken.text);
	assert.match(words(await h.ask('POST', request.path, body.replace('true', 'null'), headers)), /^403 InvalidSignatureException/);
	assert.match(words(await h.ask('POST', request.path, body.slice(0, -90), headers)), /^400 InvalidRequestException The chunked body is not well-formed/);
	const unsigned = sign(k, { ...request, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
	assert.equal((await h.ask('POST', request.path, '{"state":{"reported":{"on":false}}}', unsigned)).json.version, 2);
});

test('a key may do what its policies allow, and changes count at once', async (t) => {
	const h = await signed(t);
	await h.b.call('CreatePolicy', { policyName: 'a-things', policyDocument: policy(allow(['iot:*Thing', 'iot:GetThingShadow'], `${ARN}:thing/a*`), allow('iot:ListThings')) });
	await h.b.call('CreatePolicy', { policyName: 'no-deleting', policyDocument: policy({ Effect: 'Deny', Action: 'iot:DeleteThing', Resource: '*' }) });
	const k = await key(h, 'a-things', 'no-deleting');
	const ask = requester(h, k);
	assert.equal((await ask('POST', '/things/apple', {})).status, 200);
	assert.equal((await ask('GET', '/things')).status, 200);
	assert.equal(words(await ask('POST', '/things/berry', {})),
		`403 AccessDeniedException User: arn:aws:iam::123456789012:user/${k.accessKeyId} is not authorized to perform: iot:CreateThing on resource: ${ARN}:thing/berry`);
	assert.match(words(await ask('POST', '/things/berry', {}, { region: 'eu-west-1' })), new RegExp(`on resource: ${ARN}:thing/berry$`));
	assert.match(words(await ask('DELETE', '/things/apple')), /^403 AccessDeniedException .* iot:DeleteThing on resource/);
	assert.match(words(await ask('DELETE', '/things/apple', undefined, { region: 'eu-west-1' })), /^403 AccessDeniedException/);
	assert.equal((await ask('GET', '/things/apple/shadow', undefined, { service: 'iotdata' })).status, 404);
	assert.match(words(await ask('GET', '/things/apple/shadow?name=moon', undefined, { service: 'iotdata' })), /^404 ResourceNotFoundException/);
	assert.match(words(await ask('POST', '/things/apple/shadow', { state: {} }, { service: 'iotdata' })), /^403 ForbiddenException .* iot:UpdateThingShadow/);
	assert.match(words(await ask('GET', '/policies')), /^403 AccessDeniedException .* iot:ListPolicies on resource: \*$/);
	await h.b.call('UpdateAccessKey', { accessKeyId: k.accessKeyId, policyNames: ['a-things'] });
	assert.equal((await ask('DELETE', '/things/apple')).status, 200);
	await h.b.call('CreatePolicyVersion', { policyName: 'a-things', policyDocument: policy(allow('iot:ListPolicies')), setAsDefault: true });
	assert.equal((await ask('GET', '/policies')).status, 200);
	assert.equal((await ask('GET', '/things')).status, 403);
	await h.b.call('DeletePolicyVersion', { policyName: 'a-things', policyVersionId: '1' });
	await h.b.call('DeletePolicy', { policyName: 'a-things' });
	assert.equal((await ask('GET', '/policies')).status, 403);
	assert.ok(await h.metric('skeeter_http_unauthorized_total') >= 6);
});

test('all that a request is about must be allowed', async (t) => {
	const h = await signed(t);
	await h.b.call('CreateThing', { thingName: 'lamp' });
	for (const thingGroupName of ['hall', 'vault'])
		await h.b.call('CreateThingGroup', { thingGroupName });
	await h.b.call('CreatePolicy', { policyName: 'hall', policyDocument: policy(allow(['iot:AddThingToThingGroup', 'iot:AttachPolicy', 'iot:UpdateThingGroupsForThing'],
		[`${ARN}:thing/lamp`, `${ARN}:thinggroup/hall`])) });
	const ask = requester(h, await key(h, 'hall'));
	assert.equal((await ask('PUT', '/thing-groups/addThingToThingGroup', { thingName: 'lamp', thingGroupName: 'hall' })).status, 200);
	assert.match(words(await ask('PUT', '/thing-groups/addThingToThingGroup', { thingName: 'lamp', thingGroupName: 'vault' })), /on resource: .*thinggroup\/vault$/);
	assert.match(words(await ask('PUT', '/thing-groups/addThingToThingGroup', { thingName: 'lamp', thingGroupArn: `${ARN}:thinggroup/vault` })), /thinggroup\/vault$/);
	assert.match(words(await ask('PUT', '/thing-groups/updateThingGroupsForThing', { thingName: 'lamp', thingGroupsToAdd: ['hall', 'vault'] })), /thinggroup\/vault$/);
	assert.equal((await ask('PUT', '/target-policies/hall', { target: `${ARN}:thinggroup/hall` })).status, 200);
	assert.match(words(await ask('PUT', '/target-policies/hall', { target: `${ARN}:thinggroup/vault` })), /iot:AttachPolicy on resource: .*thinggroup\/vault$/);
});

test('a resource by its other name is the same resource', async (t) => {
	const h = await signed(t);
	const { certificateId } = await h.b.provision('lamp');
	const deny = (Action, Resource) => ({ Effect: 'Deny', Action, Resource });
	await h.b.call('CreatePolicy', { policyName: 'most', policyDocument: policy(allow('iot:*'), deny('iot:*Certificate', `${ARN}:cert/${certificateId}`),
		deny('iot:*Shadow', `${ARN}:thing/lamp/moon`), deny('iot:*Principal', `${ARN}:cert/${certificateId}`)) });
	const ask = requester(h, await key(h, 'most'));
	for (const id of [certificateId, certificateId.toUpperCase()]) {
		assert.match(words(await ask('GET', `/certificates/${id}`)), /^403 AccessDeniedException/);
		assert.match(words(await ask('DELETE', '/things/lamp/principals', undefined, { headers: { 'x-amzn-principal': `${ARN}:cert/${id}` } })), /^403 AccessDeniedException/);
	}
	for (const query of ['name=moon', 'name=moon&shadowName=sun', 'name=m%6fon'])
		assert.match(words(await ask('GET', `/things/lamp/shadow?${query}`, undefined, { service: 'iotdata' })), /^403 ForbiddenException/);
	assert.equal((await ask('GET', '/things/lamp/shadow?name=sun', undefined, { service: 'iotdata' })).status, 404);
});

test('publishing asks for the topic, and for more when it is to be retained', async (t) => {
	const h = await signed(t, { plugins: ['core', 'registry', 'auth', 'shadow', 'messages'] });
	await h.b.call('CreatePolicy', { policyName: 'hall', policyDocument: policy(allow('iot:Publish', `${ARN}:topic/hall/*`), allow('iot:RetainPublish', `${ARN}:topic/hall/kept`)) });
	const ask = requester(h, await key(h, 'hall'));
	const publish = (topic, query = '') => ask('POST', `/topics/${topic}${query}`, '{}', { service: 'iotdata' });
	assert.equal((await publish('hall%2Flamp')).status, 200);
	assert.equal((await publish('hall/kept', '?retain=true&qos=1')).status, 200);
	assert.match(words(await publish('hall/lamp', '?retain=true')), /^403 ForbiddenException .* iot:RetainPublish on resource: .*:topic\/hall\/lamp$/);
	assert.match(words(await publish('vault')), /^403 ForbiddenException .* iot:Publish on resource: .*:topic\/vault$/);
});

test('a policy names topic rules; their tags come in a header', async (t) => {
	const h = await signed(t, { plugins: ['core', 'registry', 'auth', 'shadow', 'rules'] });
	await h.b.call('CreatePolicy', { policyName: 'mine', policyDocument: policy(allow(['iot:*TopicRule', 'iot:ListTagsForResource'], `${ARN}:rule/mine_*`)) });
	const ask = requester(h, await key(h, 'mine'));
	const body = { sql: "SELECT * FROM 'a'", actions: [] };
	assert.equal((await ask('POST', '/rules/mine_a', body, { headers: { 'x-amz-tagging': 'site=Oslo&floor=2' } })).status, 200);
	assert.deepEqual((await ask('GET', `/tags?resourceArn=${encodeURIComponent(`${ARN}:rule/mine_a`)}`)).json.tags, [{ Key: 'site', Value: 'Oslo' }, { Key: 'floor', Value: '2' }]);
	assert.match(words(await ask('POST', '/rules/other', body)), /^403 AccessDeniedException .* iot:CreateTopicRule on resource: .*:rule\/other$/);
	assert.match(words(await ask('GET', '/rules')), /^403 AccessDeniedException .* iot:ListTopicRules on resource: \*$/);
	assert.match(words(await ask('PATCH', '/rules/mine_a', '[]')), /^400 InvalidRequestException .*The body is not a JSON object/);
	assert.match(words(await ask('PATCH', '/rules/mine_a')), /^400 InvalidRequestException .*'topicRulePayload'.*must not be null/);
	assert.equal((await ask('PATCH', '/rules/mine_a', { ...body, ruleDisabled: true })).status, 200);
	assert.equal((await ask('GET', '/rules/mine_a')).json.rule.ruleDisabled, true);
});

test('a policy may name any operation that is loaded, and nothing that is none', async (t) => {
	const h = await signed(t);
	const create = (policyName, Action) => h.b.refused('CreatePolicy', { policyName, policyDocument: policy({ Effect: 'Deny', Action, Resource: '*' }) });
	assert.match(await create('x', 'iot:CreatThing'), /there is no action iot:CreatThing/);
	assert.match(await create('x', 'iot:Foo*'), /which is no action that is checked here/);
	await h.b.call('CreatePolicy', { policyName: 'ok', policyDocument: policy({ Effect: 'Deny', Action: ['iot:CreateThing', 'iot:List*', 'iot:GetThingShadow'], Resource: '*' }) });
});

test('keys are disabled, deleted and kept over a restart, and only operators see them', async (t) => {
	const h = await signed(t);
	const k = await key(h), other = await key(h);
	const ask = requester(h, k), asOther = requester(h, other);
	assert.match(k.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
	assert.match(k.secretAccessKey, /^[A-Za-z0-9+/]{40}$/);
	const listed = await h.b.call('ListAccessKeys', {});
	assert.deepEqual(listed.accessKeys.map((x) => x.accessKeyId).sort(), [k.accessKeyId, other.accessKeyId].sort());
	assert.ok(!JSON.stringify(listed).includes(k.secretAccessKey) && !JSON.stringify(listed).includes('sealed'));
	assert.match(words(await ask('GET', '/skeeter/access-keys', undefined, { service: 'skeeter' })), /^403 ForbiddenException Access keys are an operator's/);
	await h.b.call('UpdateAccessKey', { accessKeyId: other.accessKeyId, status: 'Inactive', description: 'for the summer' });
	assert.match(words(await asOther('GET', '/things')), /^403 UnrecognizedClientException/);
	await h.b.restart('SIGKILL');
	assert.equal((await ask('GET', '/things')).status, 200);
	assert.match(words(await asOther('GET', '/things')), /^403 UnrecognizedClientException/);
	await h.b.call('UpdateAccessKey', { accessKeyId: other.accessKeyId, status: 'Active' });
	assert.equal((await asOther('GET', '/things')).status, 200);
	await h.b.call('DeleteAccessKey', { accessKeyId: k.accessKeyId });
	assert.match(words(await ask('GET', '/things')), /^403 UnrecognizedClientException/);
	assert.match(await h.b.refused('DeleteAccessKey', { accessKeyId: k.accessKeyId }), /^ResourceNotFoundException 404/);
	for (const file of fs.readdirSync(h.b.data))
		assert.ok(!fs.readFileSync(path.join(h.b.data, file)).includes(other.secretAccessKey), `${file} holds the secret`);
});

test('without its key file a store gives no key, and a file that others may read is refused', async (t) => {
	const h = await prepare(t, { options: { http: { auth: 'signed' } } });
	const file = path.join(h.b.data, 'access-keys.key'), kept = path.join(h.b.dir, 'kept');
	await h.b.start();
	const k = await key(h);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	await h.b.stop();
	fs.renameSync(file, kept);
	await h.b.start();
	await h.b.logged(new RegExp(`skeeter: http: access key ${k.accessKeyId} is refused: its secret was not sealed with .*access-keys.key`), 0);
	assert.equal((await requester(h, k)('GET', '/things')).status, 403);
	assert.equal((await requester(h, await key(h))('GET', '/things')).status, 200);
	await h.b.stop();
	fs.chmodSync(file, 0o644);
	assert.notEqual(await h.b.refuses(), 0);
	assert.match(h.b.log, /plugin_opt_key_file .*access-keys\.key may be read by others than its owner: chmod 600 it/);
	fs.renameSync(kept, file);
	await h.b.start();
	assert.equal((await requester(h, k)('GET', '/things')).status, 200);
});

test('without a plugin that knows policies only keys for everything are good for something', async (t) => {
	const h = await signed(t, { plugins: ['core', 'registry'] });
	assert.equal((await requester(h, await key(h))('GET', '/things')).status, 200);
	assert.match(await h.b.refused('CreateAccessKey', { policyNames: ['reader'] }), /^ResourceNotFoundException 404 Policy reader not found/);
});
