// Rules to a web server, InfluxDB, ClickHouse and a mail server in one broker: what has its PUBACK arrives, whoever is killed; what fails goes to the error action.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const pki = require('../../harness/pki');
const { prepare, republish, roleArn, PLUGINS } = require('../../harness/rules');
const { clickhouse } = require('../../harness/service_clickhouse');
const { influx } = require('../../harness/service_influx');
const { mail } = require('../../harness/service_mail');
const { web } = require('../../harness/service_web');

const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);
const secret = (name) => `\${get_secret('${name}', 'SecretString', 'password')}`;

async function broker(t) {
	const r = await prepare(t, { plugins: [...PLUGINS, 'sink_http'], options: { sink_http: { timeout: '2s', cafile: pki.authority().crt } }, rules: { retry_least: '50ms', retry_most: '500ms' } });
	const file = path.join(r.b.dir, 'secrets.json'), key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI' };
	fs.writeFileSync(file, JSON.stringify({ db: { password: 'sesame' }, [roleArn]: key }), { mode: 0o600 });
	r.b.spec.options.core = { secrets: file };
	await r.b.start();
	r.op = await r.b.operator();
	return r;
}
// The web server is asked whether it wants messages, and says yes.
async function confirm(r, w) {
	await r.b.call('CreateTopicRuleDestination', { destinationConfiguration: { httpUrlConfiguration: { confirmationUrl: `${w.url}/in` } } });
	const [question] = await until('the question', () => w.seen.length && w.seen.splice(0));
	await r.b.call('ConfirmTopicRuleDestination', { confirmationToken: JSON.parse(question.body).confirmationToken });
}

test('what has a PUBACK is everywhere, though the broker and all servers are killed', async (t) => {
	const [w, i, c, m] = await Promise.all([web(t, (q, s) => s.end(), { tls: {} }), influx(t), clickhouse(t), mail(t)]);
	await c.sql('CREATE TABLE press (n Int32, hall String) ENGINE = MergeTree ORDER BY n');
	const r = await broker(t);
	await confirm(r, w);
	await r.make('all', "SELECT n, topic(2) AS hall FROM 'hall/+/press'", [
		{ http: { url: `${w.url}/in/\${topic(2)}`, confirmationUrl: `${w.url}/in`, headers: [{ key: 'X-Number', value: '${n}' }], auth: { sigv4: { signingRegion: 'us-east-1', serviceName: 'execute-api', roleArn } } } },
		{ influx: { url: i.url, database: 'iot', user: 'writer', password: secret('db'), measurement: 'press', tags: { hall: '${topic(2)}' }, fields: { n: '${n}' } } },
		{ clickhouse: { url: c.url, table: 'press', user: 'skeeter', password: secret('db') } },
		{ smtp: { url: m.url, from: 'hall${topic(2)}@x.org', to: 'op@y.org', subject: 'press ${n}' } },
	]);
	const send = async (list) => {
		const d = await r.b.unix().connect();
		await Promise.all(list.map((n) => d.publish(`hall/${n % 3}/press`, JSON.stringify({ n }), { qos: 1 })));
	};
	await send(range(40));
	await Promise.all([w.kill(), i.kill(), c.kill(), m.kill()]);
	await send(range(40, 40));
	await r.b.restart('SIGKILL');
	await Promise.all([w.start(), i.start(), c.start(), m.start()]);
	await send(range(20, 80));
	const posts = () => w.seen.filter((q) => q.path !== '/in'); // the question may have come twice
	await until('the web server', () => new Set(posts().map((q) => JSON.parse(q.body).n)).size === 100);
	await until('InfluxDB', async () => (await i.query('SELECT n FROM press')).length >= 100);
	await until('ClickHouse', async () => (await c.sql('SELECT uniqExact(n) FROM press'))[0] === '100');
	await until('the mail server', () => new Set(m.seen.map((one) => /^Subject: (.*)\r$/m.exec(one.text)[1])).size === 100);
	assert.ok(posts().every((q) => q.path === `/in/${JSON.parse(q.body).n % 3}` && q.headers['x-number'] === String(JSON.parse(q.body).n) && /^AWS4-HMAC-SHA256 /.test(q.headers.authorization)));
	assert.deepEqual((await i.query('SELECT n, hall FROM press')).map((p) => p.n).sort((a, b) => a - b), range(100));
	assert.deepEqual(await c.sql("SELECT DISTINCT hall = toString(n % 3) FROM press"), ['1']);
	assert.ok(m.seen.every((one) => one.from === `hall${JSON.parse(one.text.split('\r\n\r\n')[1]).n % 3}@x.org`));
	const report = JSON.stringify((await r.b.call('ListRuleLanes', {})).lanes);
	assert.ok(!/sesame|wJalr/.test(report + r.b.log), report);
});

test('what fails goes to the error action in the words of the server; what cannot be is refused when the rule is made', async (t) => {
	const w = await web(t, (q, s) => { s.statusCode = q.path === '/in/x' ? 422 : 200; s.end('no such hall'); }), r = await broker(t);
	await confirm(r, w);
	await r.make('lost', "SELECT n FROM 'in'", { http: { url: `${w.url}/in/x`, confirmationUrl: `${w.url}/in` } }, { errorAction: republish('failed') });
	const d = await r.b.unix().connect();
	await r.op.subscribe('failed');
	await d.publish('in', '{"n":1}', { qos: 1 });
	const { failures, ruleName } = await r.op.next('failed');
	assert.equal(ruleName, 'lost');
	assert.deepEqual(failures, [{ failedAction: 'HttpAction', failedResource: `${w.url}/in/x`, errorMessage: '422: no such hall' }]);
	const refused = (action) => r.b.refused('CreateTopicRule', { ruleName: 'bad', topicRulePayload: { sql: "SELECT * FROM 'in'", actions: [action] } });
	for (const [action, why] of [[{ http: { url: 'https://${topic()}/x' } }, /the host cannot be a template/],
		[{ influx: { url: 'http://x', measurement: 'm' } }, /needs a database/], [{ influx: { url: 'http://x', database: 'd' } }, /measurement/],
		[{ clickhouse: { url: 'x', table: 't' } }, /must begin with https/], [{ smtp: { url: 'smtp://u:p@x', from: 'a@b', to: 'c@d' } }, /fields of their own/],
		[{ smtp: { url: 'smtp://${topic()}', from: 'a@b', to: 'c@d' } }, /template/]])
		assert.match(await refused(action), why);
});
