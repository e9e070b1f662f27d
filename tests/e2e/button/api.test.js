// 1-Click's devices, projects and placements on a real broker: claimed, placed, tagged, and still so after a restart.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');
const { serve } = require('../../harness/http');
const { sign } = require('../../harness/sigv4');

const plugins = ['core', 'registry', 'button'];
const ARN = 'arn:aws:iot1click:eu-west-1:123456789012:', FUNCTION = 'arn:aws:lambda:eu-west-1:123456789012:function:';
const options = { core: { account: '123456789012', region: 'eu-west-1' } };
const CONFLICT = /^ResourceConflictException 409 /, ABSENT = /^ResourceNotFoundException 404 /, INVALID = /^InvalidRequestException 400 /;

async function claimed(b, ...deviceIds) {
	const { claimCode } = await b.call('CreateClaimCode', { deviceIds });
	assert.deepEqual(await b.call('ClaimDevicesByClaimCode', { claimCode }), { claimCode, total: deviceIds.length });
	return claimCode;
}

const refusals = async (b, expected, rows) => {
	for (const [operation, input] of rows)
		assert.match(await b.refused(operation, input), expected, operation);
};

test('ListUnclaimedDevices, ListClaimCodes and DeleteClaimCode: what codes name waits to be claimed', async (t) => {
	const b = await start(t, { plugins, options });
	await b.call('CreateClaimCode', { claimCode: 'C-123EXAMPLE', deviceIds: ['one', 'two'] });
	assert.deepEqual((await b.call('ListUnclaimedDevices', {})).devices.map((d) => [d.deviceId, d.state]), [['one', 'UNCLAIMED'], ['two', 'UNCLAIMED']]);
	assert.deepEqual(await b.call('InitiateDeviceClaim', { deviceId: 'one' }), { state: 'CLAIM_INITIATED' });
	assert.match(await b.refused('FinalizeDeviceClaim', { deviceId: 'one' }), /^PreconditionFailedException 412 .*not been pressed/);
	assert.deepEqual((await b.call('ListUnclaimedDevices', {})).devices.map((d) => d.state), ['CLAIM_INITIATED', 'UNCLAIMED']);
	await b.call('ClaimDevicesByClaimCode', { claimCode: 'C-123EXAMPLE' });
	assert.deepEqual((await b.call('ListUnclaimedDevices', {})).devices, []);
	assert.match(await b.refused('FinalizeDeviceClaim', { deviceId: 'one' }), CONFLICT);
	assert.deepEqual((await b.call('ListClaimCodes', {})).claimCodes.map((c) => [c.claimCode, c.deviceIds]), [['C-123EXAMPLE', ['one', 'two']]]);
	await b.call('DeleteClaimCode', { claimCode: 'C-123EXAMPLE' });
	assert.match(await b.refused('ClaimDevicesByClaimCode', { claimCode: 'C-123EXAMPLE' }), /^ForbiddenException 403 /);
	assert.deepEqual(await b.call('UnclaimDevice', { deviceId: 'one' }), { state: 'UNCLAIMED' });
	await refusals(b, ABSENT, ['DescribeDevice', 'GetDeviceMethods', 'UnclaimDevice', 'UpdateDeviceState'].map((name) => [name, { deviceId: 'one' }]));
});

test('a device shows where it is, and a project is deleted only when it is empty', async (t) => {
	const b = await start(t, { plugins, options });
	await claimed(b, 'bell', 'spare');
	const deviceTemplates = { knob: { deviceType: 'button', callbackOverrides: { onClickCallback: `${FUNCTION}ring` } } };
	const project = { projectName: 'doors' }, place = { ...project, placementName: 'front' }, slot = { ...place, deviceTemplateName: 'knob' };
	await b.call('CreateProject', { ...project, description: 'x', placementTemplate: { defaultAttributes: { city: 'Oslo' }, deviceTemplates }, tags: { who: 'me' } });
	await b.call('CreatePlacement', { ...place, attributes: { floor: '1' } });
	await b.call('AssociateDeviceWithPlacement', { ...slot, deviceId: 'bell' });
	await b.call('AssociateDeviceWithPlacement', { ...slot, deviceId: 'bell' });
	assert.deepEqual(await b.call('GetDevicesInPlacement', place), { devices: { knob: 'bell' } });
	await b.restart();
	assert.deepEqual((await b.call('DescribeDevice', { deviceId: 'bell' })).deviceDescription, {
		arn: `${ARN}devices/bell`, deviceId: 'bell', enabled: false, remainingLife: 100, type: 'button', tags: {},
		attributes: { projectRegion: 'eu-west-1', projectName: 'doors', placementName: 'front', deviceTemplateName: 'knob' } });
	await b.call('CreatePlacement', { ...project, placementName: 'back' });
	await refusals(b, CONFLICT, [['CreateProject', project], ['CreatePlacement', place], ['AssociateDeviceWithPlacement', { ...slot, deviceId: 'spare' }],
		['AssociateDeviceWithPlacement', { ...slot, placementName: 'back', deviceId: 'bell' }]]);
	await refusals(b, ABSENT, [['AssociateDeviceWithPlacement', { ...slot, deviceId: 'ghost' }], ['AssociateDeviceWithPlacement', { ...slot, deviceTemplateName: 'no', deviceId: 'spare' }],
		['DisassociateDeviceFromPlacement', { ...slot, placementName: 'back' }], ['CreatePlacement', { projectName: 'no', placementName: 'x' }]]);
	await refusals(b, INVALID, [['DeleteProject', project], ['DeletePlacement', place], ['UpdateProject', { ...project, placementTemplate: { deviceTemplates: { other: {} } } }]]);
	await b.call('DisassociateDeviceFromPlacement', slot);
	assert.deepEqual((await b.call('DescribeDevice', { deviceId: 'bell' })).deviceDescription.attributes, {});
	for (const placementName of ['front', 'back'])
		await b.call('DeletePlacement', { ...project, placementName });
	await b.call('DeleteProject', project);
	await refusals(b, ABSENT, ['DeleteProject', 'DescribeProject', 'UpdateProject', 'ListPlacements'].map((name) => [name, project]));
	await refusals(b, ABSENT, ['DeletePlacement', 'DescribePlacement', 'UpdatePlacement', 'GetDevicesInPlacement'].map((name) => [name, place]));
});

test('UpdateProject and UpdatePlacement change what they are given, and an empty text clears', async (t) => {
	const b = await start(t, { plugins, options });
	const project = { projectName: 'doors' }, place = { ...project, placementName: 'front' };
	await b.call('CreateProject', { ...project, description: 'x', placementTemplate: { defaultAttributes: { a: '1', b: '2' }, deviceTemplates: { t: { deviceType: 'button' } } } });
	const before = (await b.call('DescribeProject', project)).project;
	assert.deepEqual(before.placementTemplate, { defaultAttributes: { a: '1', b: '2' }, deviceTemplates: { t: { deviceType: 'button', callbackOverrides: {} } } });
	await b.call('UpdateProject', { ...project, placementTemplate: { defaultAttributes: { a: '', c: '3' } } });
	await b.call('UpdateProject', { ...project, description: '', placementTemplate: { deviceTemplates: { t: { callbackOverrides: { onClickCallback: `${FUNCTION}f` } }, u: {} } } });
	const after = (await b.call('DescribeProject', project)).project;
	assert.deepEqual(after.placementTemplate, { defaultAttributes: { b: '2', c: '3' },
		deviceTemplates: { t: { deviceType: 'button', callbackOverrides: { onClickCallback: `${FUNCTION}f` } }, u: { callbackOverrides: {} } } });
	assert.deepEqual([after.description, after.createdDate, after.tags], [undefined, before.createdDate, {}]);
	assert.ok(after.updatedDate > before.updatedDate);
	for (const template of [{ t: { deviceType: 'lamp' } }, { t: { callbackOverrides: { other: 'x' } } }, { t: { callbackOverrides: { onClickCallback: 'x' } } }])
		assert.match(await b.refused('UpdateProject', { ...project, placementTemplate: { deviceTemplates: template } }), INVALID);
	await b.call('CreatePlacement', { ...place, attributes: { x: '1', y: '2' } });
	await b.call('UpdatePlacement', { ...place, attributes: { x: '', z: '3' } });
	assert.deepEqual((await b.call('DescribePlacement', place)).placement.attributes, { y: '2', z: '3' });
});

test('lists of projects, placements and devices come in pages', async (t) => {
	const b = await start(t, { plugins, options });
	const names = ['a', 'b', 'c'];
	await claimed(b, ...names);
	for (const projectName of names)
		await b.call('CreateProject', { projectName });
	for (const placementName of names)
		await b.call('CreatePlacement', { projectName: 'a', placementName });
	for (const [operation, list, name] of [['ListProjects', 'projects', 'projectName'], ['ListPlacements', 'placements', 'placementName'], ['ListDevices', 'devices', 'deviceId']]) {
		const more = operation === 'ListPlacements' ? { projectName: 'a' } : {};
		const first = await b.call(operation, { ...more, maxResults: 2 });
		const second = await b.call(operation, { ...more, maxResults: 2, nextToken: first.nextToken });
		assert.deepEqual([...first[list], ...second[list]].map((x) => x[name]), names);
		assert.equal(second.nextToken, undefined);
		assert.match(await b.refused(operation, { ...more, nextToken: 'zz' }), INVALID);
	}
});

test('TagResource, UntagResource and ListTagsForResource: the ARN tells whose rules hold, devices\' answer 204', async (t) => {
	const h = await serve(t, { plugins, options });
	await claimed(h.b, 'bell');
	await h.b.call('CreateProject', { projectName: 'doors', tags: { a: '1' } });
	const tags = (arn) => `/tags/${encodeURIComponent(ARN + arn)}`;
	const said = async (...request) => {
		const r = await h.ask(...request);
		return r.status < 300 ? r.status : `${r.status} ${r.headers['x-amzn-errortype']}`;
	};
	assert.equal(await said('POST', tags('devices/bell'), '{"tags":{"Driver Phone":"1","k":"2"}}'), 204);
	assert.equal(await said('POST', tags('projects/doors'), '{"tags":{"k":"2"}}'), 200);
	assert.equal(await said('POST', tags('projects/doors'), '{"tags":{"Driver Phone":"1"}}'), '400 InvalidRequestException');
	assert.equal(await said('POST', tags('devices/bell'), '{"tags":{"aws:x":"1"}}'), '400 InvalidRequestException');
	assert.equal(await said('POST', tags('devices/bell'), JSON.stringify({ tags: Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`n${i}`, ''])) })), '400 InvalidRequestException');
	assert.equal(await said('POST', tags('devices/ghost'), '{"tags":{"k":"1"}}'), '404 ResourceNotFoundException');
	assert.equal(await said('GET', `/tags/${encodeURIComponent('arn:aws:iot1click:eu-west-1:999999999999:devices/bell')}`), '404 ResourceNotFoundException');
	assert.equal(await said('GET', '/tags/nothing'), '400 InvalidRequestException');
	assert.deepEqual((await h.ask('GET', tags('devices/bell'))).json, { tags: { 'Driver Phone': '1', k: '2' } });
	assert.equal(await said('DELETE', `${tags('devices/bell')}?tagKeys=k&tagKeys=none`), 204);
	assert.equal(await said('DELETE', `${tags('projects/doors')}?tagKeys=a`), 200);
	assert.deepEqual((await h.ask('GET', tags('devices/bell'))).json, { tags: { 'Driver Phone': '1' } });
	assert.deepEqual(await h.b.call('iot1click:TagResource', { resourceArn: `${ARN}devices/bell`, tags: { k: '3' } }), {});
	assert.deepEqual(await h.b.call('iot1click:ListTagsForResource', { resourceArn: `${ARN}projects/doors` }), { tags: { k: '2' } });
});

test('GetDeviceMethods, InvokeDeviceMethod and ListDeviceEvents of a device that has done nothing', async (t) => {
	const b = await start(t, { plugins, options });
	await claimed(b, 'bell');
	const deviceId = 'bell', invoke = (methodName, parameters) => b.call('InvokeDeviceMethod', { deviceId, deviceMethod: { deviceType: 'button', methodName },
		...parameters && { deviceMethodParameters: JSON.stringify(parameters) } }).then((r) => JSON.parse(r.deviceMethodResponse));
	const { deviceMethods } = await b.call('GetDeviceMethods', { deviceId });
	for (const { methodName } of deviceMethods.filter((m) => m.methodName.startsWith('get')))
		assert.ok(await invoke(methodName), methodName);
	assert.deepEqual(await invoke('setOnClickCallback', { deviceId, callback: { awsLambdaArn: `${FUNCTION}f` } }), {});
	assert.deepEqual(await invoke('getOnClickCallback'), { callback: { awsLambdaArn: `${FUNCTION}f` } });
	assert.deepEqual(await b.call('ListDeviceEvents', { deviceId, fromTimeStamp: 0, toTimeStamp: 4e9 }), { events: [] });
	assert.match(await b.refused('ListDeviceEvents', { deviceId, fromTimeStamp: 2, toTimeStamp: 1 }), /^RangeNotSatisfiableException 416 /);
});

test('an access key may do to devices and projects what its policy allows on their ARNs', async (t) => {
	const h = await serve(t, { plugins: ['core', 'registry', 'auth', 'button'], options: { ...options, http: { auth: 'signed' } } });
	const Statement = [{ Effect: 'Allow', Action: ['iot1click:DescribeDevice', 'iot1click:CreateProject'], Resource: [`${ARN}devices/bell`, `${ARN}projects/d*`] }];
	await h.b.call('CreatePolicy', { policyName: 'p', policyDocument: JSON.stringify({ Version: '2012-10-17', Statement }) });
	const key = await h.b.call('CreateAccessKey', { policyNames: ['p'] });
	const said = async (method, path, body = '') => {
		const r = await h.ask(method, path, body || undefined, sign(key, { method, path, host: `127.0.0.1:${h.port}`, headers: {}, body, service: 'iot1click' }));
		return `${r.status} ${r.headers['x-amzn-errortype'] || ''}`;
	};
	assert.equal(await said('GET', '/devices/bell'), '404 ResourceNotFoundException');
	assert.equal(await said('GET', '/devices/bolt'), '403 ForbiddenException');
	assert.equal(await said('POST', '/projects', '{"projectName":"doors"}'), '200 ');
	assert.equal(await said('POST', '/projects', '{"projectName":"lamps"}'), '403 ForbiddenException');
	assert.equal(await said('DELETE', '/projects/doors'), '403 ForbiddenException');
});
