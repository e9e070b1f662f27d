// Policies over $CONTROL.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start, ALLOW_ALL } = require('../../harness/broker');

const document = JSON.stringify(ALLOW_ALL);
const names = (r) => r.policies.map((p) => p.policyName);

test('CreatePolicy, GetPolicy and ListPolicies show what was made, as version 1', async (t) => {
	const b = await start(t);
	const made = await b.call('CreatePolicy', { policyName: 'p', policyDocument: document });
	assert.deepEqual([made.policyName, made.policyVersionId, made.policyDocument], ['p', '1', document]);
	assert.match(made.policyArn, /^arn:aws:iot:[a-z0-9-]+:\d{12}:policy\/p$/);
	const got = await b.call('GetPolicy', { policyName: 'p' });
	assert.deepEqual([got.policyName, got.policyArn, got.policyDocument, got.defaultVersionId], ['p', made.policyArn, document, '1']);
	await b.call('CreatePolicy', { policyName: 'q', policyDocument: document });
	assert.deepEqual(names(await b.call('ListPolicies', {})), ['p', 'q']);
	const first = await b.call('ListPolicies', { pageSize: 1 });
	assert.deepEqual(names(await b.call('ListPolicies', { pageSize: 5, marker: first.nextMarker })), ['q']);
	assert.match(await b.refused('ListPolicies', { pageSize: 'x' }), /^InvalidRequestException 400 /);
});

test('a policy that is there already, or is no policy, is refused', async (t) => {
	const b = await start(t);
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: document });
	assert.match(await b.refused('CreatePolicy', { policyName: 'p', policyDocument: document }), /^ResourceAlreadyExistsException 409 /);
	for (const bad of ['{', '{}', '[]', '{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}',
		'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Effect":"Deny","Action":"iot:*","Resource":"*"}]}',
		'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iot:Fly","Resource":"*"}]}'])
		assert.match(await b.refused('CreatePolicy', { policyName: 'bad', policyDocument: bad }), /^MalformedPolicyException 400 /, bad);
	assert.match(await b.refused('CreatePolicy', { policyName: 'a b', policyDocument: document }), /^InvalidRequestException 400 .*'policyName'/);
	assert.match(await b.refused('CreatePolicy', { policyName: 'p2' }), /^InvalidRequestException 400 .*'policyDocument'/);
	assert.match(await b.refused('GetPolicy', { policyName: 'bad' }), /^ResourceNotFoundException 404 /);
});

test('AttachPolicy, DetachPolicy and their lists; an attached policy is not deleted', async (t) => {
	const b = await start(t);
	const { certificateArn: target, policyName } = await b.provision('lamp');
	assert.deepEqual(names(await b.call('ListAttachedPolicies', { target })), [policyName]);
	assert.deepEqual((await b.call('ListTargetsForPolicy', { policyName })).targets, [target]);
	assert.match(await b.refused('DeletePolicy', { policyName }), /^DeleteConflictException 409 /);
	await b.call('AttachPolicy', { policyName, target });
	await b.call('DetachPolicy', { policyName, target });
	await b.call('DetachPolicy', { policyName, target });
	assert.deepEqual(names(await b.call('ListAttachedPolicies', { target })), []);
	await b.call('DeletePolicy', { policyName });
	assert.match(await b.refused('GetPolicy', { policyName }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DeletePolicy', { policyName }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('AttachPolicy', { policyName, target }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('AttachPolicy', { policyName: 'x' }), /^InvalidRequestException 400 .*'target'/);
	assert.match(await b.refused('DetachPolicy', { policyName: 'x' }), /^InvalidRequestException 400 .*'target'/);
	assert.match(await b.refused('ListTargetsForPolicy', { policyName: 'ghost' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListAttachedPolicies', {}), /^InvalidRequestException 400 .*'target'/);
});
