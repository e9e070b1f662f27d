// Versions of policies: the default one is what counts for devices.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start, ALLOW_ALL } = require('../../harness/broker');

const document = (topic) => JSON.stringify({ Version: '2012-10-17', Statement: [
	{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }, { Effect: 'Allow', Action: 'iot:Publish', Resource: `arn:aws:iot:*:*:topic/${topic}` }] });
const shown = async (b) => (await b.call('ListPolicyVersions', { policyName: 'p' })).policyVersions.map((v) => [v.versionId, v.isDefaultVersion]);

test('CreatePolicyVersion, GetPolicyVersion and ListPolicyVersions: at most five, one is the default', async (t) => {
	const b = await start(t);
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: document('1') });
	const made = await b.call('CreatePolicyVersion', { policyName: 'p', policyDocument: document('2') });
	assert.deepEqual([made.policyVersionId, made.isDefaultVersion, made.policyDocument], ['2', false, document('2')]);
	assert.match(made.policyArn, /:policy\/p$/);
	for (const n of [3, 4, 5])
		await b.call('CreatePolicyVersion', { policyName: 'p', policyDocument: document(n), setAsDefault: n === 4 });
	assert.deepEqual(await shown(b), [['4', true], ['1', false], ['2', false], ['3', false], ['5', false]]);
	assert.match(await b.refused('CreatePolicyVersion', { policyName: 'p', policyDocument: document('6') }), /^VersionsLimitExceededException 409 /);
	const got = await b.call('GetPolicyVersion', { policyName: 'p', policyVersionId: '1' });
	assert.deepEqual([got.policyDocument, got.isDefaultVersion, got.policyVersionId, got.policyName], [document('1'), false, '1', 'p']);
	assert.equal((await b.call('GetPolicyVersion', { policyName: 'p', policyVersionId: '4' })).isDefaultVersion, true);
	assert.deepEqual((({ policyDocument, defaultVersionId }) => [policyDocument, defaultVersionId])(await b.call('GetPolicy', { policyName: 'p' })), [document('4'), '4']);
	await b.call('DeletePolicyVersion', { policyName: 'p', policyVersionId: '5' });
	assert.equal((await b.call('CreatePolicyVersion', { policyName: 'p', policyDocument: document('6') })).policyVersionId, '6');
});

test('what is wrong with a version is said', async (t) => {
	const b = await start(t);
	await b.call('CreatePolicy', { policyName: 'p', policyDocument: document('1') });
	assert.match(await b.refused('CreatePolicyVersion', { policyName: 'p', policyDocument: '{}' }), /^MalformedPolicyException 400 /);
	assert.match(await b.refused('CreatePolicyVersion', { policyName: 'p' }), /^InvalidRequestException 400 .*'policyDocument'/);
	assert.match(await b.refused('CreatePolicyVersion', { policyName: 'ghost', policyDocument: document('1') }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('ListPolicyVersions', { policyName: 'ghost' }), /^ResourceNotFoundException 404 /);
	for (const command of ['GetPolicyVersion', 'SetDefaultPolicyVersion', 'DeletePolicyVersion']) {
		assert.match(await b.refused(command, { policyName: 'p', policyVersionId: '2' }), /^ResourceNotFoundException 404 /, command);
		assert.match(await b.refused(command, { policyName: 'ghost', policyVersionId: '1' }), /^ResourceNotFoundException 404 /, command);
		assert.match(await b.refused(command, { policyName: 'p', policyVersionId: 'x' }), /^InvalidRequestException 400 .*'policyVersionId'/, command);
	}
	assert.match(await b.refused('DeletePolicyVersion', { policyName: 'p', policyVersionId: '1' }), /^DeleteConflictException 409 /);
	await b.call('CreatePolicyVersion', { policyName: 'p', policyDocument: document('2') });
	assert.match(await b.refused('DeletePolicy', { policyName: 'p' }), /^DeleteConflictException 409 .*versions/);
	await b.call('DeletePolicyVersion', { policyName: 'p', policyVersionId: '2' });
	await b.call('DeletePolicy', { policyName: 'p' });
});

test('SetDefaultPolicyVersion counts for a connected device from its next packet on', async (t) => {
	const b = await start(t, { options: { auth: { violations: 'deny' } } });
	const lamp = await b.device('lamp', JSON.parse(document('one')));
	const { policies: [{ policyName }] } = await b.call('ListPolicies', {});
	await b.call('CreatePolicyVersion', { policyName, policyDocument: document('two') });
	let from = b.log.length;
	await lamp.publish('one', 'x');
	await lamp.publish('two', 'x');
	await b.logged(/deny publish lamp -> two: no statement of lamp-policy v1 /, from);
	await b.call('SetDefaultPolicyVersion', { policyName, policyVersionId: '2' });
	await b.call('SetDefaultPolicyVersion', { policyName, policyVersionId: '2' });
	from = b.log.length;
	await lamp.publish('two', 'x');
	await lamp.publish('one', 'x');
	await b.logged(/deny publish lamp -> one: no statement of lamp-policy v2 /, from);
	await b.restart();
	assert.equal((await b.call('GetPolicy', { policyName })).defaultVersionId, '2');
	assert.equal((await b.call('GetPolicyVersion', { policyName, policyVersionId: '1' })).policyDocument, document('one'));
});

test('a document has at most 2048 characters, white space apart', async (t) => {
	const b = await start(t);
	const filled = (n) => JSON.stringify({ ...ALLOW_ALL, Id: 'x'.repeat(n) });
	const room = 2048 - filled(0).length;
	await b.call('CreatePolicy', { policyName: 'full', policyDocument: JSON.stringify(JSON.parse(filled(room)), null, '\t') });
	assert.match(await b.refused('CreatePolicy', { policyName: 'over', policyDocument: filled(room + 1) }), /^MalformedPolicyException 400 .*2049.*2048/);
	assert.match(await b.refused('CreatePolicyVersion', { policyName: 'full', policyDocument: filled(room + 1) }), /^MalformedPolicyException 400 /);
});
