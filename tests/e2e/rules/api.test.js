// Topic rules as operations, over $CONTROL: made, replaced, switched, listed in pages, tagged, tried with a message; and what survives a restart.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('../../harness/test');
const { start } = require('../../harness/broker');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'rules'];
const ARN = 'arn:aws:iot:us-east-1:123456789012:rule/';
const roleArn = 'arn:aws:iam::123456789012:role/r';
const republish = (topic) => ({ republish: { roleArn, topic } });
const rule = (sql, more = {}) => ({ sql, actions: [republish('hot/${topic(2)}')], awsIotSqlVersion: '2016-03-23', ...more });
const hot = rule("SELECT temp, topic(2) AS room FROM 'rooms/+/climate' WHERE temp > 30");

test.smoke('CreateTopicRule, GetTopicRule, ReplaceTopicRule, DisableTopicRule, EnableTopicRule and DeleteTopicRule', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	const topicRulePayload = { ...hot, description: 'too hot', errorAction: republish('failed') };
	assert.deepEqual(await b.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload }), {});
	const { ruleArn, rule: { createdAt, ...got } } = await b.call('GetTopicRule', { ruleName: 'hot' });
	assert.equal(ruleArn, `${ARN}hot`);
	assert.deepEqual(got, { ruleName: 'hot', ruleDisabled: false, ...topicRulePayload });
	assert.ok(Math.abs(createdAt - Date.now() / 1000) < 60);
	await b.call('DisableTopicRule', { ruleName: 'hot' });
	await b.restart();
	assert.equal((await b.call('GetTopicRule', { ruleName: 'hot' })).rule.ruleDisabled, true);
	await b.call('EnableTopicRule', { ruleName: 'hot' });
	assert.equal((await b.call('GetTopicRule', { ruleName: 'hot' })).rule.ruleDisabled, false);
	await b.call('ReplaceTopicRule', { ruleName: 'hot', topicRulePayload: { sql: "SELECT * FROM 'a'", actions: [], ruleDisabled: true } });
	assert.deepEqual((await b.call('GetTopicRule', { ruleName: 'hot' })).rule,
		{ ruleName: 'hot', sql: "SELECT * FROM 'a'", actions: [], createdAt, ruleDisabled: true, awsIotSqlVersion: '2015-10-08' });
	await b.call('DeleteTopicRule', { ruleName: 'hot' });
	assert.equal(await b.refused('GetTopicRule', { ruleName: 'hot' }), "UnauthorizedException 401 Access to topic rule 'hot' was denied");
	await b.call('DeleteTopicRule', { ruleName: 'hot' });
});

test('what is wrong with a rule is said when it is made: its SQL with line and column, its actions, its name, its tags', async (t) => {
	const b = await start(t, { plugins: PLUGINS, options: { rules: { most_rules: '1' } } });
	const refused = (topicRulePayload, more = {}) => b.refused('CreateTopicRule', { ruleName: 'r', topicRulePayload, ...more });
	assert.match(await refused(rule("SELECT * FORM 'a'")), /^SqlParseException 400 .*line 1, column \d+/);
	assert.match(await refused(rule("SELECT * FROM 'a/#/b'")), /^(SqlParse|InvalidRequest)Exception 400 /);
	assert.match(await refused(rule("SELECT * FROM 'a'", { actions: [republish('${')] })), /^SqlParseException 400 /);
	assert.match(await refused(rule("SELECT * FROM 'a'", { actions: [{}] })), /^InvalidRequestException 400 /);
	assert.match(await refused(rule("SELECT * FROM 'a'", { actions: Array(11).fill(republish('x')) })), /^InvalidRequestException 400 .*'topicRulePayload\.actions'.*length less than or equal to 10/);
	assert.match(await refused(rule("SELECT * FROM 'a'", { actions: [{ republish: { topic: 'x' } }] })), /^InvalidRequestException 400 .*'topicRulePayload\.actions\.1\.member\.republish\.roleArn'.*not be null/);
	assert.match(await refused(rule("SELECT * FROM 'a'", { awsIotSqlVersion: '1999-01-01' })), /^(SqlParse|InvalidRequest)Exception 400 /);
	assert.match(await refused(rule(`SELECT * FROM '${'x'.repeat(257)}'`)), /^InvalidRequestException 400 The topic filter has 257 bytes/);
	assert.match(await refused(hot, { ruleName: 'a-b' }), /^InvalidRequestException 400 .*\[a-zA-Z0-9_\]\+/);
	assert.match(await refused(hot, { tags: '=x' }), /^InvalidRequestException 400 tags is not written as key1=value1/);
	assert.match(await refused(hot, { tags: 'aws:x=1' }), /^InvalidRequestException 400 .*reserved/);
	assert.match(await refused(hot, { tags: `${'k'.repeat(129)}=1` }), /^InvalidRequestException 400 .*'tags\.1\.member\.key'.*128/);
	for (const name of ['ReplaceTopicRule', 'EnableTopicRule', 'DisableTopicRule'])
		assert.equal(await b.refused(name, { ruleName: 'r', topicRulePayload: hot }), "UnauthorizedException 401 Access to topic rule 'r' was denied");
	await b.call('CreateTopicRule', { ruleName: 'r', topicRulePayload: hot });
	assert.match(await refused(hot), /^ResourceAlreadyExistsException 409 /);
	assert.match(await refused(hot, { ruleName: 's' }), /^InvalidRequestException 400 There can be at most 1 rules/);
	await b.call('DeleteTopicRule', { ruleName: 'r' });
	await b.call('CreateTopicRule', { ruleName: 's', topicRulePayload: hot });
});

test('ListTopicRules has pages in order of names, and picks by topic and by ruleDisabled', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	for (const [ruleName, filter, ruleDisabled] of [['c', 'a/+', false], ['a', 'a/b', true], ['b', 'x/#', false], ['d', '#', false]])
		await b.call('CreateTopicRule', { ruleName, topicRulePayload: rule(`SELECT * FROM '${filter}'`, { ruleDisabled }) });
	const names = async (input) => (await b.call('ListTopicRules', input)).rules.map((r) => r.ruleName).join();
	const all = await b.call('ListTopicRules', {});
	assert.deepEqual(all.rules.map(({ createdAt, ...r }) => r)[0], { ruleArn: `${ARN}a`, ruleName: 'a', topicPattern: 'a/b', ruleDisabled: true });
	assert.equal(await names({}), 'a,b,c,d');
	assert.equal(await names({ topic: 'a/b' }), 'a,c,d');
	assert.equal(await names({ topic: 'x/#' }), 'b,d');
	assert.equal(await names({ topic: '$aws/x' }), '');
	assert.equal(await names({ ruleDisabled: true }), 'a');
	assert.equal(await names({ ruleDisabled: false, topic: 'a/b' }), 'c,d');
	const seen = [];
	for (let nextToken; seen.length < 9;) {
		const page = await b.call('ListTopicRules', { maxResults: 1, nextToken, ruleDisabled: false });
		seen.push(...page.rules.map((r) => r.ruleName));
		if (!(nextToken = page.nextToken))
			break;
	}
	assert.equal(seen.join(), 'b,c,d');
	assert.match(await b.refused('ListTopicRules', { nextToken: 'forged' }), /^InvalidRequestException 400 Invalid nextToken/);
	assert.match(await b.refused('ListTopicRules', { maxResults: 10001 }), /^InvalidRequestException 400 /);
});

test('a rule is born with tags, and TagResource, UntagResource and ListTagsForResource know it', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	const resourceArn = `${ARN}hot`;
	await b.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload: hot, tags: 'site=Oslo&floor=2+up' });
	const born = [{ Key: 'site', Value: 'Oslo' }, { Key: 'floor', Value: '2 up' }];
	assert.deepEqual((await b.call('ListTagsForResource', { resourceArn })).tags, born);
	await b.call('TagResource', { resourceArn, tags: [{ Key: 'k', Value: 'v' }] });
	await b.call('UntagResource', { resourceArn, tagKeys: ['site'] });
	await b.call('ReplaceTopicRule', { ruleName: 'hot', topicRulePayload: hot });
	await b.call('DisableTopicRule', { ruleName: 'hot' });
	assert.deepEqual((await b.call('ListTagsForResource', { resourceArn })).tags, [born[1], { Key: 'k', Value: 'v' }]);
	assert.match(await b.refused('TagResource', { resourceArn: `${ARN}none`, tags: [] }), /^ResourceNotFoundException 404 /);
});

test('DryRunTopicRule shows what a stored or a proposed rule does with a message', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	const run = (input) => b.call('DryRunTopicRule', { ruleName: 'hot', ...input });
	await b.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload: hot });
	const yes = await run({ topic: 'rooms/attic/climate', payload: '{"temp":31}' });
	assert.equal(yes.matched, true);
	assert.deepEqual(yes.output, { temp: 31, room: 'attic' });
	assert.ok(yes.clauses.some((c) => c.clause === 'temp > 30' && c.value === true), JSON.stringify(yes.clauses));
	assert.equal(yes.actions[0].fields.topic, 'hot/attic');
	const no = await run({ topic: 'rooms/attic/climate', payload: '{"temp":3}' });
	assert.equal(no.matched, false);
	assert.match((await run({ topic: 'cellar', payload: '{}' })).error, /does not match the filter rooms\/\+\/climate/);
	assert.equal((await run({ topic: '$aws/rules/hot/x/y', payload: '{"temp":40}' })).output.room, 'y');
	const bytes = await run({ topic: 'raw', payloadBase64: '/w==', topicRulePayload: rule("SELECT encode(*, 'base64') AS b, clientid() AS c FROM '#'"), clientId: 'lamp' });
	assert.deepEqual(bytes.output, { b: '/w==', c: 'lamp' });
	await b.call('CreateThing', { thingName: 'lamp' });
	await b.call('UpdateThingShadow', { thingName: 'lamp', payload: { state: { reported: { on: true } } } });
	const looked = await b.call('DryRunTopicRule', { ruleName: 'not_stored', topicRulePayload: rule(
		`SELECT get_thing_shadow('lamp', '${roleArn}').state.reported.on AS lit, get_registry_data('DescribeThing', 'lamp', '${roleArn}').version AS v,
		 get_thing_shadow('nobody', '${roleArn}') AS nothing FROM 'x'`) });
	assert.deepEqual(looked.output, { lit: true, v: 1 });
	const lambda = await b.call('DryRunTopicRule', { ruleName: 'not_stored', topicRulePayload: rule("SELECT aws_lambda('f', *) AS x FROM 'x'"), payload: '{}' });
	assert.match(lambda.error, /runs no function/);
	assert.match(await b.refused('DryRunTopicRule', { ruleName: 'none' }), /^ResourceNotFoundException 404 /);
	assert.match(await b.refused('DryRunTopicRule', { ruleName: 'hot' }), /^InvalidRequestException 400 topic is missing/);
	assert.match(await b.refused('DryRunTopicRule', { ruleName: 'hot', topic: 'a', payloadBase64: '!' }), /^InvalidRequestException 400 payloadBase64/);
});

test('ListTopicRuleStatistics and TraceTopicRule answer for rules that nothing has met', async (t) => {
	const b = await start(t, { plugins: PLUGINS });
	await b.call('CreateTopicRule', { ruleName: 'hot', topicRulePayload: hot });
	for (const one of (await b.call('ListTopicRuleStatistics', {})).statistics)
		assert.equal(one.matched, 0);
	assert.deepEqual((await b.call('ListTopicRuleStatistics', { ruleName: 'none' })).statistics, []);
	assert.deepEqual(await b.call('TraceTopicRule', { ruleName: 'hot' }), { traces: [] });
	assert.match(await b.refused('TraceTopicRule', { ruleName: 'none' }), /^ResourceNotFoundException 404 /);
});
