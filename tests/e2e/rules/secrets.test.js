// An audit: secrets are planted wherever one can stand, servers send back all that they are shown, and nothing that the broker writes, answers or keeps holds one. A
// secret that stands in a rule as it is, is in the rule's own record and in what GetTopicRule answers, and nowhere else.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { BUILD } = require('../../harness/broker');
const { prepare } = require('../../harness/http');
const { web } = require('../../harness/service_web');

// Below a preloaded sanitizer glibc's lock of message catalogues has one reader less than none from the start, and libpq, which binds a catalogue, waits for it for ever.
// librdkafka starts its threads with C11's thrd_create(), which gcc 12's ThreadSanitizer does not see: such a thread has no state of the tool's, and ends the process with its first malloc().
const left = { postgres: process.env.SKEETER_PRELOAD, kafka: process.env.SKEETER_TOOL === 'tsan' };
const SINKS = ['http', 'redis', 'postgres', 'mysql', 'amqp', 'nats', 'kafka', 'aws'].filter((name) => !left[name]);
const roleArn = 'arn:aws:iam::123456789012:role/r';
const CANARY = /c4n4ry|YzRuNHJ5|M0bjRye|jNG40cn/i; // as it is, and as base64 has it
// Where in the text one is.
const leaks = (text) => [...text.matchAll(new RegExp(`.{0,150}(${CANARY.source}).{0,50}`, 'gis'))].map((m) => m[0]);
const secret = (name, key) => `\${get_secret('${name}', 'SecretString'${key ? `, '${key}'` : ''}, '${roleArn}')}`;

// Speaks no protocol but an error of Redis' and NATS' with all that it was sent.
async function parrot(t) {
	const s = net.createServer((c) => {
		c.on('error', () => {});
		c.on('data', (d) => c.write(`-ERR ${String(d).replace(/[\r\n]/g, ' ')}\r\n`));
	});
	await new Promise((done) => s.listen(0, '127.0.0.1', done));
	const open = new Set();
	s.on('connection', (c) => { s.met = (s.met || 0) + 1; open.add(c); c.on('close', () => open.delete(c)); });
	t.after(() => new Promise((done) => { s.close(done); open.forEach((c) => c.destroy()); }));
	return s;
}

// Every action that takes a secret, each with its own: in a template, as it is, in a URL.
function actions(port, url) {
	const at = (scheme, user) => `${scheme}://${user}127.0.0.1:${port}`, headers = [{ key: 'Authorization', value: `Bearer ${secret('db', 'password')}` }, { key: 'X-Api-Key', value: 'c4n4ry-header' }];
	return {
		http_fails: { http: { url: `${url}/404?key=c4n4ry-query`, headers } },
		http_waits: { http: { url: `${url}/503`, headers } },
		http_user: { http: { url: `http://u:c4n4ry-user@127.0.0.1:${port}/`, headers: [] } },
		influx: { influx: { url: `${url}/400`, database: 'd', token: secret('env-1'), measurement: 'm', fields: { a: '${a}' } } },
		clickhouse: { clickhouse: { url: `${url}/400`, table: 't', user: 'u', password: 'c4n4ry-clickhouse', columns: { a: '${a}' } } },
		smtp: { smtp: { url: at('smtp', ''), from: 'a@b', to: 'c@d', user: 'u', password: secret('db', 'password') } },
		redis: { redis: { url: at('redis', ''), command: 'list', key: 'k', password: secret('db', 'password') } },
		redis_url: { redis: { url: at('redis', 'u:c4n4ry-redis@'), command: 'list', key: 'k2' } },
		postgres: { postgres: { url: `${at('postgresql', '')}/d`, user: 'u', password: secret('env-1'), table: 't', payloadColumn: 'p' } },
		mysql: { mysql: { url: `${at('mysql', '')}/d`, user: 'u', password: 'c4n4ry-mysql', table: 't', payloadColumn: 'p' } },
		amqp: { amqp: { url: at('amqp', ''), user: 'u', password: secret('db', 'password'), routingKey: 'q' } },
		nats: { nats: { url: at('nats', ''), token: 'c4n4ry-nats', subject: 's' } },
		kafka: { kafka: { destinationArn: 'a', topic: 't', clientProperties: { 'bootstrap.servers': `127.0.0.1:${port}`, acks: '1', 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN', 'sasl.plain.username': 'u', 'sasl.plain.password': secret('db', 'password') } } },
		sqs: { sqs: { queueUrl: `${url}/404`, roleArn } },
		selected: { sns: { targetArn: 'arn:aws:sns:us-east-1:123456789012:t', roleArn } },
	};
}

async function world(t) {
	const w = await web(t, (q, s) => {
		s.statusCode = w.well ? 200 : Number(/^\/(\d+)/.exec(q.path)?.[1] || 400);
		s.end(`you sent ${q.path} ${JSON.stringify(q.headers)} ${q.body}`);
	});
	const p = await parrot(t);
	const sinks = SINKS.filter((name) => fs.existsSync(path.join(BUILD, `skeeter_sink_${name}.so`))).map((name) => `sink_${name}`);
	const h = await prepare(t, { plugins: ['core', 'rules', ...sinks], env: { SKEETER_SECRET_ENV_1: 'c4n4ry-env', AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'c4n4ry-aws' } });
	const b = h.b, folder = path.join(b.dir, 'mine');
	fs.mkdirSync(folder);
	fs.writeFileSync(path.join(folder, 'secrets.json'), JSON.stringify({ db: { password: 'c4n4ry-file' } }), { mode: 0o600 });
	fs.writeFileSync(path.join(folder, 'a.lua'), `rule "lua" { topic = "in", run = function(m)
		sink.http { url = "${w.url}/404", headers = { { key = "Cookie", value = "c4n4ry-lua" } } }
	end }\n`);
	Object.assign(b.spec.options, { core: { secrets: path.join(folder, 'secrets.json') }, sink_aws: { endpoint: w.url },
		rules: { folder, destinations: 'any', recorder: '1m', retry_least: '20ms', retry_most: '200ms' } });
	await b.start();
	await until('HTTP to answer', () => h.ask('GET', '/healthz').then(() => true, () => false));
	return { h, b, w, p, folder, op: await b.operator() };
}

// All that a file below the folder holds, but for those that the test itself has put there.
function holding(dir, mine) {
	const found = [];
	for (const name of fs.readdirSync(dir, { recursive: true })) {
		const file = path.join(dir, name);
		if (mine.some((m) => file.startsWith(m)) || !fs.statSync(file).isFile())
			continue;
		if (CANARY.test(fs.readFileSync(file, 'latin1')))
			found.push(name);
	}
	return found;
}

test('no log, list, trace, report, metric, lane, dead letter or record but the rule\'s own holds a secret; and each arrives where it should', async (t) => {
	const { h, b, w, p, folder, op } = await world(t);
	const all = actions(p.address().port, w.url), refused = [];
	for (const [ruleName, action] of Object.entries(all)) {
		const sql = ruleName === 'selected' ? `SELECT a, get_secret('db', 'SecretString', 'password') AS s FROM 'in'` : "SELECT a FROM 'in'";
		await b.call('CreateTopicRule', { ruleName, topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [action],
			...ruleName === 'http_user' ? { errorAction: { republish: { roleArn, topic: 'errors' } } } : {} } }).catch((e) => refused.push(`${ruleName}: ${e.message.replace(/^\S+ \{.*?\}\}?: /, '').slice(0, 200)}`));
	}
	assert.deepEqual(refused.filter((r) => !/: load skeeter_sink_/.test(r)), []);
	await op.subscribe('errors');
	const names = Object.keys(all).filter((n) => !refused.some((r) => r.startsWith(`${n}:`)));
	// Operators ask one thing after the other.
	const each = async (operation, list, more) => {
		const answers = [];
		for (const ruleName of list)
			answers.push(await b.call(operation, { ruleName, ...more }));
		return answers;
	};
	const look = async () => {
		const seen = [(await h.ask('GET', '/metrics')).text, op.inbox.map((m) => String(m.payload))];
		for (const operation of ['ListTopicRules', 'ListTopicRuleStatistics', 'ListRuleLanes', 'DescribeCounters'])
			seen.push(await b.call(operation, {}));
		return JSON.stringify([seen, await each('TraceTopicRule', [...names, 'lua']), await each('ListDeadLetters', [...names, 'lua'])]);
	};
	await look();
	for (let a = 0; a < 3; a++)
		await op.publish('in', JSON.stringify({ a }));
	const dead = ['http_fails', 'influx', 'clickhouse', 'sqs', 'selected', 'lua'].filter((n) => n === 'lua' || names.includes(n));
	let counts;
	await until(() => `dead letters of ${dead}: ${counts}`, async () => {
		counts = (await each('ListDeadLetters', dead)).map(({ deadLetters }) => deadLetters.length);
		return counts.every((n) => n === 3);
	});
	await until('each lane to have met its server', async () => (await b.call('ListRuleLanes', {})).lanes.every((l) => l.delivered || l.lastError), 90000);
	for (const text of [await look(), JSON.stringify(await each('DryRunTopicRule', names.filter((n) => ['http_fails', 'selected'].includes(n)), { payload: '{"a":1}' })).replace(/c4n4ry-(header|query)/g, ''), b.log])
		assert.deepEqual(leaks(text), []);

	await b.stop('SIGKILL');
	assert.deepEqual(holding(b.dir, [folder, path.join(b.data, 'skeeter.db')]), []);
	const dump = execFileSync(path.join(BUILD, 'skeeter-store'), ['dump', b.data], { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n').map((l) => JSON.parse(l));
	const records = dump.filter((l) => CANARY.test(JSON.stringify(l)));
	assert.deepEqual(records.filter((l) => !/^registry\/rule\//.test(l.key)), []);
	// Those were named by get_secret(), or stand in a file of Lua: they are not in the store at all, its free pages and its log included.
	assert.equal(spawnSync('grep', ['-raoE', 'c4n4ry-(file|env|aws|lua)', b.data], { encoding: 'utf8' }).stdout, '');

	w.well = true;
	w.seen.length = 0;
	await b.start();
	for (const ruleName of dead)
		assert.equal((await b.call('RedeliverDeadLetters', { ruleName })).redelivered, 3);
	const has = (name, value) => w.seen.some((q) => q.headers[name] === value);
	await until('what was dead and what waited', () => w.seen.filter((q) => /^\/40/.test(q.path)).length >= 3 * (dead.filter((n) => n !== 'selected').length) && w.seen.filter((q) => q.path === '/503').length >= 3
		&& has('cookie', 'c4n4ry-lua') && has('authorization', 'Token c4n4ry-env') && w.seen.some((q) => q.path.startsWith('/404?key=c4n4ry-query')));
	const shown = (part, name) => w.seen.find((q) => q.path.startsWith(part) && q.headers[name])?.headers[name];
	assert.deepEqual([shown('/404?key=c4n4ry-query', 'authorization'), shown('/404?key=c4n4ry-query', 'x-api-key'), shown('/503', 'authorization')], ['Bearer c4n4ry-file', 'c4n4ry-header', 'Bearer c4n4ry-file']);
	if (names.includes('selected'))
		await until('what was selected', () => w.seen.some((q) => /c4n4ry-file/.test(decodeURIComponent(String(q.body).replace(/\+/g, ' ')))));
	assert.deepEqual(leaks(b.log), []);
}, { seconds: 300 });
