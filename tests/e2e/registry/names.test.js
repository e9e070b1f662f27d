// Domain configurations and role aliases: kept, answered, tagged, over $CONTROL and with AWS's errors.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const registry = { plugins: ['core', 'registry', 'auth'], options: { registry: { endpoint: 'broker.example' } } };
const ARN = 'arn:aws:iot:us-east-1:123456789012:';
const ACM = 'arn:aws:acm:us-east-1:123456789012:certificate/1234-abcd';

test('CreateRoleAlias, DescribeRoleAlias, UpdateRoleAlias, ListRoleAliases and DeleteRoleAlias', async (t) => {
	const b = await start(t, registry);
	const roleArn = 'arn:aws:iam::123456789012:role/reader';
	const tags = [{ Key: 'a', Value: 'b' }];
	assert.deepEqual(await b.call('CreateRoleAlias', { roleAlias: 'reader', roleArn, tags }), { roleAlias: 'reader', roleAliasArn: `${ARN}rolealias/reader` });
	assert.match(await b.refused('CreateRoleAlias', { roleAlias: 'reader', roleArn }), /^ResourceAlreadyExistsException 409 /);
	assert.match(await b.refused('CreateRoleAlias', { roleAlias: 'a b', roleArn }), /^InvalidRequestException 400 .*'roleAlias'/);
	assert.match(await b.refused('CreateRoleAlias', { roleAlias: 'x', roleArn: 'short' }), /^InvalidRequestException 400 .*'roleArn'/);
	assert.match(await b.refused('CreateRoleAlias', { roleAlias: 'x', roleArn, credentialDurationSeconds: 899 }), /^InvalidRequestException 400 .*'credentialDurationSeconds'/);
	const { roleAliasDescription: before } = await b.call('DescribeRoleAlias', { roleAlias: 'reader' });
	assert.deepEqual({ ...before, creationDate: 0, lastModifiedDate: 0 }, { roleAlias: 'reader', roleAliasArn: `${ARN}rolealias/reader`, roleArn,
		owner: '123456789012', credentialDurationSeconds: 3600, creationDate: 0, lastModifiedDate: 0 });
	assert.ok(Math.abs(before.creationDate - Date.now() / 1000) < 60);
	await b.call('UpdateRoleAlias', { roleAlias: 'reader', credentialDurationSeconds: 900 });
	await b.call('UpdateRoleAlias', { roleAlias: 'reader', roleArn: `${roleArn}2` });
	const { roleAliasDescription: after } = await b.call('DescribeRoleAlias', { roleAlias: 'reader' });
	assert.equal(`${after.roleArn} ${after.credentialDurationSeconds}`, `${roleArn}2 900`);
	assert.equal(after.creationDate, before.creationDate);
	assert.deepEqual((await b.call('ListTagsForResource', { resourceArn: `${ARN}rolealias/reader` })).tags, tags);
	await b.call('CreateRoleAlias', { roleAlias: 'admin', roleArn });
	const page = await b.call('ListRoleAliases', { pageSize: 1 });
	assert.deepEqual(page.roleAliases, ['admin']);
	assert.deepEqual(await b.call('ListRoleAliases', { pageSize: 1, marker: page.nextMarker }), { roleAliases: ['reader'] });
	await b.restart('SIGKILL');
	await b.call('DeleteRoleAlias', { roleAlias: 'reader' });
	for (const operation of ['DescribeRoleAlias', 'UpdateRoleAlias', 'DeleteRoleAlias'])
		assert.match(await b.refused(operation, { roleAlias: 'reader' }), /^ResourceNotFoundException 404 /);
	assert.deepEqual(await b.call('ListRoleAliases', {}), { roleAliases: ['admin'] });
});

test('CreateDomainConfiguration, DescribeDomainConfiguration, UpdateDomainConfiguration, ListDomainConfigurations and DeleteDomainConfiguration', async (t) => {
	const b = await start(t, registry);
	const name = { domainConfigurationName: 'own' };
	const made = await b.call('CreateDomainConfiguration', { ...name, domainName: 'iot.example', serverCertificateArns: [ACM], serviceType: 'DATA',
		authorizerConfig: { defaultAuthorizerName: 'x', allowAuthorizerOverride: true }, tlsConfig: { securityPolicy: 'p' }, tags: [{ Key: 'k', Value: 'v' }] });
	assert.equal(made.domainConfigurationName, 'own');
	assert.match(made.domainConfigurationArn, /^arn:aws:iot:us-east-1:123456789012:domainconfiguration\/own\/[0-9a-f]{5}$/);
	assert.match(await b.refused('CreateDomainConfiguration', name), /^ResourceAlreadyExistsException 409 /);
	assert.match(await b.refused('CreateDomainConfiguration', { domainConfigurationName: 'a:b' }), /^InvalidRequestException 400 .*'domainConfigurationName'/);
	assert.match(await b.refused('CreateDomainConfiguration', { domainConfigurationName: 'x', domainName: 'a.b' }), /^InvalidRequestException 400 .*server certificate/);
	assert.match(await b.refused('CreateDomainConfiguration', { domainConfigurationName: 'x', serverCertificateArns: ['arn:x'] }), /^InvalidRequestException 400 /);
	assert.match(await b.refused('CreateDomainConfiguration', { domainConfigurationName: 'x', serviceType: 'OTHER' }), /^InvalidRequestException 400 .*'serviceType'/);
	const d = await b.call('DescribeDomainConfiguration', name);
	assert.deepEqual({ ...d, lastStatusChangeDate: 0 }, { ...made, domainName: 'iot.example', domainConfigurationStatus: 'ENABLED', serviceType: 'DATA',
		serverCertificates: [{ serverCertificateArn: ACM, serverCertificateStatus: 'VALID' }], domainType: 'CUSTOMER_MANAGED', lastStatusChangeDate: 0,
		authorizerConfig: { defaultAuthorizerName: 'x', allowAuthorizerOverride: true }, tlsConfig: { securityPolicy: 'p' } });
	assert.deepEqual((await b.call('ListTagsForResource', { resourceArn: made.domainConfigurationArn })).tags, [{ Key: 'k', Value: 'v' }]);
	assert.match(await b.refused('ListTagsForResource', { resourceArn: `${ARN}domainconfiguration/own` }), /^ResourceNotFoundException/);
	assert.match(await b.refused('ListTagsForResource', { resourceArn: `${ARN}domainconfiguration/own/zzzzz` }), /^ResourceNotFoundException/);
	assert.match(await b.refused('DeleteDomainConfiguration', name), /^InvalidRequestException 400 .*must be disabled/);
	assert.match(await b.refused('UpdateDomainConfiguration', { ...name, removeAuthorizerConfig: true, authorizerConfig: {} }), /^InvalidRequestException 400 .*exclude/);
	await b.call('UpdateDomainConfiguration', { ...name, removeAuthorizerConfig: true, domainConfigurationStatus: 'DISABLED', authenticationType: 'AWS_X509' });
	const after = await b.call('DescribeDomainConfiguration', name);
	assert.equal(`${after.domainConfigurationStatus} ${after.authenticationType} ${after.authorizerConfig}`, 'DISABLED AWS_X509 undefined');
	assert.ok(after.lastStatusChangeDate >= d.lastStatusChangeDate);
	assert.deepEqual((await b.call('ListDomainConfigurations', { serviceType: 'DATA' })).domainConfigurations, [{ ...made, serviceType: 'DATA' }]);
	assert.deepEqual((await b.call('ListDomainConfigurations', { serviceType: 'JOBS' })).domainConfigurations, []);
	for (let i = 0; i < 9; i++)
		await b.call('CreateDomainConfiguration', { domainConfigurationName: `n${i}` });
	assert.match(await b.refused('CreateDomainConfiguration', { domainConfigurationName: 'n9' }), /^LimitExceededException 410 /);
	await b.call('DeleteDomainConfiguration', name);
	for (const operation of ['DescribeDomainConfiguration', 'UpdateDomainConfiguration', 'DeleteDomainConfiguration'])
		assert.match(await b.refused(operation, name), /^ResourceNotFoundException 404 /);
});

test('AWS\'s own domain configurations are the endpoint, and every type of endpoint is the same address', async (t) => {
	const b = await start(t, registry);
	for (const [name, serviceType] of [['iot:Data-ATS', 'DATA'], ['iot:Jobs', 'JOBS'], ['iot:CredentialProvider', 'CREDENTIAL_PROVIDER']])
		assert.deepEqual(await b.call('DescribeDomainConfiguration', { domainConfigurationName: name }), { domainConfigurationName: name,
			domainConfigurationArn: `${ARN}domainconfiguration/${name}`, domainName: 'broker.example', serverCertificates: [], domainConfigurationStatus: 'ENABLED', serviceType, domainType: 'ENDPOINT' });
	await b.call('UpdateDomainConfiguration', { domainConfigurationName: 'iot:Jobs', tlsConfig: { securityPolicy: 'p' } });
	assert.deepEqual((await b.call('DescribeDomainConfiguration', { domainConfigurationName: 'iot:Jobs' })).tlsConfig, { securityPolicy: 'p' });
	for (const endpointType of [undefined, 'iot:Data', 'iot:Data-ATS', 'iot:CredentialProvider', 'iot:Jobs', 'iot:DeviceAdvisor', 'iot:Data-Beta'])
		assert.deepEqual(await b.call('DescribeEndpoint', { endpointType }), { endpointAddress: 'broker.example' });
	assert.match(await b.refused('DescribeEndpoint', { endpointType: 'iot:Other' }), /^InvalidRequestException 400 Endpoint type iot:Other not recognized\.$/);
});
