// Destinations of the http action: asked over HTTP, confirmed by a link or by the operation, and nothing is sent to those that are not.
'use strict';
const assert = require('node:assert/strict');
const { test, until } = require('../../harness/test');
const { prepare } = require('../../harness/http');
const { web } = require('../../harness/service_web');

const PLUGINS = ['core', 'rules', 'sink_http'];
const roleArn = 'arn:aws:iam::123456789012:role/r';
const NONE = 'arn:aws:iot:us-east-1:123456789012:ruledestination/http/00000000-0000-4000-8000-000000000000';

// A broker, and a web server that answers 200 until told otherwise.
async function both(t, { rules = {}, http = {} } = {}) {
	const h = await prepare(t, { plugins: PLUGINS, options: { http: { auth: 'signed', ...http } } });
	const w = await web(t, (q, s) => { s.statusCode = w.status || 200; s.end(w.echo ? String(q.body) : ''); });
	h.b.spec.options.rules = { confirm_url: h.url, ...rules };
	h.b.spec.options.sink_http = { timeout: '60s' }; // nothing is sent twice because this process stood still
	await h.b.start();
	const create = (path = '/hook') => h.b.call('CreateTopicRuleDestination', { destinationConfiguration: { httpUrlConfiguration: { confirmationUrl: w.url + path } } })
		.then((x) => x.topicRuleDestination);
	const get = (arn) => h.b.call('GetTopicRuleDestination', { arn }).then((x) => x.topicRuleDestination);
	const update = (arn, status) => h.b.call('UpdateTopicRuleDestination', { arn, status });
	// The n-th question that has come, as what it says.
	const asked = async (n = 1) => {
		await until(`question ${n}`, () => questions(w).length >= n);
		return JSON.parse(questions(w)[n - 1].body);
	};
	const sent = () => w.seen.filter((q) => !q.headers['x-amz-rules-engine-message-type']);
	const rule = (ruleName, fields, more) => h.b.call('CreateTopicRule', { ruleName, topicRulePayload: { sql: "SELECT * FROM 'in/#'", awsIotSqlVersion: '2016-03-23', actions: [{ http: fields }], ...more } });
	const statistics = async (ruleName) => (await h.b.call('ListTopicRuleStatistics', { ruleName })).statistics[0];
	const failed = (ruleName, n) => until(`${ruleName} to fail ${n} times`, async () => (await statistics(ruleName)).failed >= n).then(() => statistics(ruleName));
	return { h, b: h.b, w, create, get, update, asked, sent, rule, statistics, failed, op: await h.b.operator() };
}
const questions = (w) => w.seen.filter((q) => q.headers['x-amz-rules-engine-message-type']);

test('who is asked answers by the link, without a signature; then messages flow, until it is disabled', async (t) => {
	const x = await both(t);
	const made = await x.create();
	assert.match(made.arn, /^arn:aws:iot:us-east-1:123456789012:ruledestination\/http\/[0-9a-f-]{36}$/);
	assert.deepEqual([made.status, made.httpUrlProperties], ['IN_PROGRESS', { confirmationUrl: `${x.w.url}/hook` }]);
	assert.match(made.statusReason, /^Awaiting confirmation\. Confirmation message sent on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z; no response received from the endpoint\.$/);
	const body = await x.asked(), [question] = questions(x.w);
	assert.deepEqual([question.method, question.path, question.headers['content-type']], ['POST', `/hook/?confirmationToken=${body.confirmationToken}`, 'application/json']);
	assert.deepEqual([question.headers['x-amz-rules-engine-message-type'], question.headers['x-amz-rules-engine-destination-arn']], ['DestinationConfirmation', made.arn]);
	assert.deepEqual(body, { arn: made.arn, confirmationToken: body.confirmationToken, enableUrl: `${x.h.url}/confirmdestination/${body.confirmationToken}`, messageType: 'DestinationConfirmation' });
	assert.match(body.confirmationToken, /^[0-9a-f]{64}$/);

	await x.rule('hook', { url: `${x.w.url}/hook/\${topic(2)}`, confirmationUrl: `${x.w.url}/hook` });
	await x.op.publish('in/a', '{}');
	assert.match((await x.failed('hook', 1)).lastError, /^http: the destination http:\/\/127\.0\.0\.1:\d+\/hook is not confirmed, or not enabled$/);
	assert.equal((await x.h.ask('GET', `/confirmdestination/${'0'.repeat(64)}`)).status, 400);
	assert.equal((await x.h.ask('GET', '/destinations')).status, 403); // all else still wants a signature
	assert.equal((await x.h.ask('POST', `/confirmdestination/${body.confirmationToken}`)).status, 403);
	for (let i = 0; i < 2; i++) {
		const { status, text } = await x.h.ask('GET', new URL(body.enableUrl).pathname);
		assert.deepEqual([status, text], [200, '{}']);
	}
	const { status, statusReason } = await x.get(made.arn);
	assert.deepEqual([status, statusReason], ['ENABLED', undefined]);
	await x.op.publish('in/b', '{"n":1}');
	await until('the message', () => x.sent().length === 1);
	assert.deepEqual([x.sent()[0].path, String(x.sent()[0].body)], ['/hook/b', '{"n":1}']);

	await x.update(made.arn, 'DISABLED');
	await x.op.publish('in/c', '{}');
	await x.failed('hook', 2);
	await x.update(made.arn, 'ENABLED');
	await x.update(made.arn, 'ENABLED');
	await x.op.publish('in/d', '{}');
	await until('the next message', () => x.sent().length === 2);
	assert.equal(x.sent()[1].path, '/hook/d');
	await x.b.call('DeleteTopicRuleDestination', { arn: made.arn });
	await x.op.publish('in/e', '{}');
	await x.failed('hook', 3);
});

test('nothing but what is below the confirmed URL is sent to, whatever a message says', async (t) => {
	const x = await both(t);
	const { arn } = await x.create('/hook');
	await x.b.call('ConfirmTopicRuleDestination', { confirmationToken: (await x.asked()).confirmationToken });
	await x.rule('below', { url: `${x.w.url}/hook\${get(*, \"where\")}`, confirmationUrl: `${x.w.url}/hook` });
	const bad = ['s', '/../secret', '/a/%2e%2E/x', '/./x', '.evil', '@evil/', '/a/..', '\\\\x'];
	for (const where of bad)
		await x.op.publish('in/x', JSON.stringify({ where }));
	assert.match((await x.failed('below', bad.length)).lastError, /^http: the url is not below its confirmationUrl$/);
	for (const where of ['', '/', '/a/b..c', '?q=/../x'])
		await x.op.publish('in/x', JSON.stringify({ where }));
	await until('those that are below', () => x.sent().length === 4);
	assert.deepEqual(x.sent().map((q) => q.path).sort(), ['/hook', '/hook/', '/hook/a/b..c', '/hook?q=/../x']);
	assert.match(await x.b.refused('CreateTopicRule', { ruleName: 'no', topicRulePayload: { sql: "SELECT * FROM 'a'", actions: [{ http: { url: `${x.w.url}/hook/\${a}` } }] } }),
		/^InvalidRequestException 400 actions\[0\]\.http: a url with a template needs a confirmationUrl$/);
	assert.match(await x.b.refused('CreateTopicRule', { ruleName: 'no', topicRulePayload: { sql: "SELECT * FROM 'a'", actions: [{ http: { url: `${x.w.url}/a`, confirmationUrl: `${x.w.url}/b` } }] } }),
		/url does not begin with confirmationUrl$/);
	assert.equal((await x.get(arn)).status, 'ENABLED');
});

test('a rule brings its destination along; a new question makes the token before worthless; a server that is away is asked when it is back', async (t) => {
	const x = await both(t);
	await x.w.kill();
	await x.rule('brings', { url: `${x.w.url}/auto` });
	const [{ arn, status, httpUrlSummary }] = (await x.b.call('ListTopicRuleDestinations')).destinationSummaries;
	assert.deepEqual([status, httpUrlSummary], ['IN_PROGRESS', { confirmationUrl: `${x.w.url}/auto` }]);
	await x.b.call('ReplaceTopicRule', { ruleName: 'brings', topicRulePayload: { sql: "SELECT * FROM 'in/#'", actions: [{ http: { url: `${x.w.url}/auto` } }] } });
	assert.equal((await x.b.call('ListTopicRuleDestinations')).destinationSummaries.length, 1);
	await until('the item in its lane', async () => (await x.b.call('ListRuleLanes')).lanes.some((l) => l.backlogItems === 1));
	await x.b.restart('SIGKILL');
	await x.w.start();
	const first = await x.asked();
	await x.update(arn, 'IN_PROGRESS');
	const second = await x.asked(2);
	assert.notEqual(first.confirmationToken, second.confirmationToken);
	assert.match(await x.b.refused('ConfirmTopicRuleDestination', { confirmationToken: first.confirmationToken }), /^InvalidRequestException 400 The confirmation token is invalid/);
	await x.b.call('ConfirmTopicRuleDestination', { confirmationToken: second.confirmationToken });
	await x.update(arn, 'IN_PROGRESS');
	assert.equal((await x.get(arn)).status, 'IN_PROGRESS');
	await x.b.call('ConfirmTopicRuleDestination', { confirmationToken: (await x.asked(3)).confirmationToken });
	await (await x.b.operator()).publish('in/a', '{"a":1}');
	await until('the message', () => x.sent().length === 1);
});

test('a server that says no is told of, and a token that it sends back is not', async (t) => {
	const x = await both(t);
	x.w.status = 404;
	x.w.echo = true;
	const { arn } = await x.create();
	const { confirmationToken } = await x.asked();
	const { statusReason, status } = await until('the reason', async () => {
		const d = await x.get(arn);
		return /could not be delivered/.test(d.statusReason) && d;
	});
	assert.equal(status, 'IN_PROGRESS');
	assert.match(statusReason, /^Awaiting confirmation\. The confirmation message could not be delivered: 404: /);
	const shown = JSON.stringify([statusReason, await x.b.call('ListRuleLanes'), await x.b.call('ListTopicRuleDestinations'), await x.b.call('DescribeCounters')]);
	assert.ok(!(shown + x.b.log).includes(confirmationToken));
	await x.b.call('ConfirmTopicRuleDestination', { confirmationToken });
	assert.equal((await x.get(arn)).status, 'ENABLED');
});

test('with plugin_opt_destinations any nobody is asked, and a start refuses a link that leads nowhere', async (t) => {
	const x = await both(t, { rules: { destinations: 'any', confirm_url: undefined } });
	await x.rule('any', { url: `${x.w.url}/\${topic(2)}` });
	await x.op.publish('in/a', '{}');
	await until('the message', () => x.sent().length === 1);
	assert.deepEqual((await x.b.call('ListTopicRuleDestinations')).destinationSummaries, []);
	await x.create('/asked?q=1');
	const { enableUrl, confirmationToken } = await x.asked();
	assert.deepEqual([enableUrl, questions(x.w)[0].path], [undefined, `/asked?q=1&confirmationToken=${confirmationToken}`]);
	await x.b.stop();
	x.b.spec.options.rules.confirm_url = 'broker:8080';
	assert.equal(await x.b.refuses(), 13);
	assert.match(x.b.log, /rules: plugin_opt_confirm_url broker:8080: it begins with neither https:\/\/ nor http:\/\//);
});

test('what the operations refuse, and pages of a list', async (t) => {
	const x = await both(t), refused = (op, input) => x.b.refused(op, input);
	const make = (destinationConfiguration) => refused('CreateTopicRuleDestination', { destinationConfiguration });
	const one = await x.create('/1'), two = await x.create('/2');
	assert.match(await make({}), /^InvalidRequestException 400 A destination has either/);
	assert.match(await make({ httpUrlConfiguration: { confirmationUrl: 'https://a' }, vpcConfiguration: { subnetIds: [], vpcId: 'v', roleArn } }), /either/);
	assert.match(await make({ httpUrlConfiguration: {} }), /validation error/);
	for (const [url, why] of [['ftp://a/', 'begins with neither'], ['https://', 'no host'], ['https://:80/', 'no host'], ['https://u:p@a/', 'a user'], ['https://a/#b', 'fragment'], ['https://a/b c', 'a character'], ['https://a/\n', 'a character']])
		assert.match(await make({ httpUrlConfiguration: { confirmationUrl: url } }), new RegExp(`^InvalidRequestException 400 confirmationUrl: .*${why}`));
	assert.match(await make({ httpUrlConfiguration: { confirmationUrl: `${x.w.url}/1` } }), /^ResourceAlreadyExistsException 409/);
	for (const op of ['GetTopicRuleDestination', 'DeleteTopicRuleDestination'])
		for (const arn of [NONE, one.arn.replace('/http/', '/vpc/'), one.arn.replace('123456789012', '123456789013'), one.arn.replace(':iot:', ':sns:'), 'x', `${one.arn}/..`])
			assert.match(await refused(op, { arn }), /^UnauthorizedException 401 Access to topic rule destination '/);
	assert.equal((await x.get(one.arn.replace('us-east-1', 'eu-west-1'))).arn, one.arn);
	const status = (arn, to) => refused('UpdateTopicRuleDestination', { arn, status: to });
	assert.match(await status(NONE, 'ENABLED'), /^UnauthorizedException/);
	assert.match(await status(one.arn, 'ENABLED'), /^InvalidRequestException 400 .*it has not been confirmed/);
	assert.match(await status(one.arn, 'DISABLED'), /it has not been confirmed/);
	assert.match(await status(one.arn, 'ERROR'), /status can be set to/);
	assert.match(await status(one.arn, 'DELETING'), /status can be set to/);
	assert.match(await status(one.arn, 'GONE'), /validation error/);
	const { topicRuleDestination: vpc } = await x.b.call('CreateTopicRuleDestination', { destinationConfiguration: { vpcConfiguration: { subnetIds: ['s'], securityGroups: ['g'], vpcId: 'v', roleArn } } });
	assert.match(vpc.arn, /:ruledestination\/vpc\//);
	assert.deepEqual([vpc.status, vpc.vpcProperties], ['ENABLED', { subnetIds: ['s'], securityGroups: ['g'], vpcId: 'v', roleArn }]);
	assert.match(await status(vpc.arn, 'IN_PROGRESS'), /a VPC destination is not confirmed/);
	await x.update(vpc.arn, 'DISABLED');
	const seen = [];
	for (let nextToken, i = 0; i < 3; i++) {
		const page = await x.b.call('ListTopicRuleDestinations', { maxResults: 1, nextToken });
		seen.push(...page.destinationSummaries);
		nextToken = page.nextToken;
		assert.equal(!nextToken, i === 2);
	}
	assert.deepEqual(seen.map((d) => d.arn).sort(), [one.arn, two.arn, vpc.arn].sort());
	assert.deepEqual(seen.find((d) => d.arn === vpc.arn).vpcDestinationSummary, vpc.vpcProperties);
	assert.match(await refused('ListTopicRuleDestinations', { nextToken: 'forged' }), /^InvalidRequestException/);
	await x.b.call('DeleteTopicRuleDestination', { arn: one.arn });
	await x.b.call('DeleteTopicRuleDestination', { arn: vpc.arn });
	assert.match(await refused('DeleteTopicRuleDestination', { arn: one.arn }), /^UnauthorizedException/);
	await x.create('/1');
});
