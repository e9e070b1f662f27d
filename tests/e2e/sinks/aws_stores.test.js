// The sinks dynamoDB, dynamoDBv2, kinesis and s3 into npm's servers, whose requests are verified by our own hand and whose content is read back with AWS's CLI.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { drive } = require('../../harness/drive');
const { dynalite, kinesalite, s3rver, KEY } = require('../../harness/service_aws');

process.env.AWS_ACCESS_KEY_ID = KEY.accessKeyId;
process.env.AWS_SECRET_ACCESS_KEY = KEY.secretAccessKey;
delete process.env.AWS_SESSION_TOKEN;
const sink = (t, at, kind, fields, options = {}) => drive(t, 'sink_aws', kind, { roleArn: 'arn:aws:iam::123456789012:role/r', ...fields },
	{ endpoint: at.url, ...options });
const results = (list) => list.map((r) => r.result).join(' ');
const range = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const payloads = (...list) => list.map((p) => ({ payload: typeof p === 'string' ? p : JSON.stringify(p) }));

test('dynamoDB: one item for a key, of JSON or bytes, read back with AWS\'s CLI', async (t) => {
	const db = await dynalite(t);
	await db.table('press', 'hall:S:HASH', 'at:N:RANGE');
	const key = { hashKeyField: 'hall', hashKeyValue: '7', rangeKeyField: 'at', rangeKeyValue: '1', rangeKeyType: 'NUMBER' };
	const d = sink(t, db, 'dynamoDB', { tableName: 'press', ...key });
	const get = async () => (await db.cli('dynamodb', 'get-item', '--table-name', 'press', '--key', '{"hall":{"S":"7"},"at":{"N":"1"}}')).Item;
	assert.equal(results(await d.send(...payloads({ temp: 1 }, { temp: 12345678901234567890.5, l: [true, null, 'ü'] }))), 'ok ok');
	assert.deepEqual((await get()).payload, { M: { temp: { N: '12345678901234567000' }, l: { L: [{ BOOL: true }, { NULL: true }, { S: 'ü' }] } } });
	assert.equal(results(await d.send({ payload: 'no JSON', fields: { operation: 'UPDATE', payloadField: 'raw' } })), 'ok');
	assert.deepEqual(Object.keys(await get()).sort(), ['at', 'hall', 'payload', 'raw']);
	assert.deepEqual((await get()).raw, { B: Buffer.from('no JSON').toString('base64') });
	const answers = await d.send({ fields: { operation: 'DELETE' } }, { fields: { rangeKeyValue: 'x' } }, { fields: { tableName: 'none' } });
	assert.equal(results(answers), 'ok fail fail');
	assert.match(answers[1].why, /^ValidationException: .*numeric value/);
	assert.match(answers[2].why, /^ResourceNotFoundException: /);
	assert.equal(await get(), undefined);
	assert.deepEqual(db.refused, []);
});

test('dynamoDBv2: an attribute for each member; batches in which no key repeats, killed and started again, lose nothing', async (t) => {
	const db = await dynalite(t), table = 'press';
	await db.table(table, 'n:N:HASH');
	const d = sink(t, db, 'dynamoDBv2', { putItem: { tableName: table } });
	const all = { n: 1, s: '', t: true, z: null, l: [1.5, {}], m: { x: 'y' } };
	assert.equal(results(await d.send(...payloads(all, { n: 'text' }, { other: 1 }, [1]))), 'ok fail fail fail');
	assert.deepEqual((await db.cli('dynamodb', 'get-item', '--table-name', table, '--key', '{"n":{"N":"1"}}')).Item,
		{ n: { N: '1' }, s: { S: '' }, t: { BOOL: true }, z: { NULL: true }, l: { L: [{ N: '1.5' }, { M: {} }] }, m: { M: { x: { S: 'y' } } } });
	// The same key again and again: the last one stays.
	assert.equal(results(await d.send(...payloads(...range(30, (i) => ({ n: 2 + (i % 2), i }))))), Array(30).fill('ok').join(' '));
	for (const [n, i] of [['2', '28'], ['3', '29']])
		assert.equal((await db.cli('dynamodb', 'get-item', '--table-name', table, '--key', `{"n":{"N":"${n}"}}`)).Item.i.N, i);
	let turn = 0;
	db.next((request) => (/BatchWriteItem/.test(request.headers['x-amz-target']) && turn++ % 10 === 3 ? { status: 400, code: 'ProvisionedThroughputExceededException' } : null));
	let left = range(1500, (i) => ({ n: 100 + i })), kills = 0, retried = 0;
	while (left.length) {
		const batch = left.slice(0, 100), sent = d.send(...batch.map((m, i) => ({ payload: JSON.stringify(m), topic: `t/${i % 10}` })));
		if (kills < 2 && left.length < 1500 - 500 * (kills + 1)) {
			kills++;
			await db.kill();
			await d.send({ payload: '{"n":0}' });
			await db.start();
		}
		const answers = await sent;
		assert.ok(answers.every((r) => r.result !== 'fail'), JSON.stringify(answers.find((r) => r.result === 'fail')));
		retried += answers.filter((r) => r.result === 'retry').length;
		left = left.slice(100).concat(batch.filter((_, i) => answers[i].result === 'retry'));
	}
	assert.ok(retried > 0 && kills === 2);
	const stored = (await db.cli('dynamodb', 'scan', '--table-name', table)).Items.map((i) => Number(i.n.N)).filter((n) => n >= 100);
	assert.equal(new Set(stored).size, 1500);
	assert.deepEqual(db.refused.filter((r) => Array.isArray(r)), []);
});

test('kinesis: records of a partition key stay in order while some are throttled', async (t) => {
	const k = await kinesalite(t);
	await k.cli('kinesis', 'create-stream', '--stream-name', 's', '--shard-count', '2');
	await until('the stream', async () => (await k.cli('kinesis', 'describe-stream', '--stream-name', 's')).StreamDescription.StreamStatus === 'ACTIVE');
	const d = sink(t, k, 'kinesis', { streamName: 's', partitionKey: 'a' });
	let turn = 0;
	k.next((request) => (/PutRecords/.test(request.headers['x-amz-target']) && turn++ % 5 === 3 ? { status: 400, code: 'ProvisionedThroughputExceededException', message: 'Rate exceeded' } : null));
	let left = range(60, (i) => ({ payload: String(i), fields: { partitionKey: `key ${i % 7}` } }));
	await until('all to arrive', async () => {
		const answers = await d.send(...left);
		left = left.filter((_, i) => answers[i].result === 'retry');
		return !left.length;
	});
	k.next(null);
	const got = [];
	for (const shard of (await k.cli('kinesis', 'describe-stream', '--stream-name', 's')).StreamDescription.Shards) {
		const { ShardIterator } = await k.cli('kinesis', 'get-shard-iterator', '--stream-name', 's', '--shard-id', shard.ShardId, '--shard-iterator-type', 'TRIM_HORIZON');
		got.push(...(await k.cli('kinesis', 'get-records', '--shard-iterator', ShardIterator)).Records);
	}
	for (const key of range(7, (i) => `key ${i}`))
		assert.deepEqual(got.filter((r) => r.PartitionKey === key).map((r) => Number(Buffer.from(r.Data, 'base64'))), range(60, (i) => i).filter((i) => `key ${i % 7}` === key));
	const together = sink(t, k, 'kinesis', { streamName: 's', partitionKey: 'a' }, { kinesis_order: 'false' });
	const before = k.requests;
	assert.equal((await together.repeat(500, { payload: 'x' })).ok, 500);
	assert.equal(k.requests - before, 1);
	assert.match((await d.send({ fields: { streamName: 'none' } }))[0].why, /^ResourceNotFoundException: /);
	assert.deepEqual(k.refused, []);
});

test('s3: objects under any key, read back with AWS\'s CLI; killed and started again, it loses nothing', async (t) => {
	const s3 = await s3rver(t), d = sink(t, s3, 's3', { bucketName: 'bucket', key: 'plain' }), dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const keys = ['a b/ü+$&?.json', 'x/../y', "it's (a) *key*!", '~%41%', 'äöü/日本'];
	assert.equal(results(await d.send(...keys.map((key) => ({ payload: `of ${key}`, fields: { key, cannedAcl: 'private' } })))), 'ok ok ok ok ok');
	for (const key of [keys[0], keys[2], keys[4]]) {
		await s3.cli('s3', 'cp', '--no-progress', `s3://bucket/${key}`, path.join(dir, 'object'));
		assert.equal(fs.readFileSync(path.join(dir, 'object'), 'utf8'), `of ${key}`);
	}
	const answers = await d.send({ fields: { bucketName: 'nobucket' } }, { fields: { key: '' } });
	assert.equal(answers.map((r) => `${r.result} ${r.why}`).join('; '), 'fail NoSuchBucket: The specified bucket does not exist; fail key is empty');
	let turn = 0;
	s3.next(() => [, { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' }, , { reset: 'after' }][turn++ % 11]);
	let left = range(200, (i) => `n/${i}`), retried = 0;
	for (let round = 0; left.length; round++) {
		const batch = left.slice(0, 40), sent = d.send(...batch.map((key) => ({ payload: key, fields: { key } })));
		if (round === 2) {
			await s3.kill();
			await sent;
			await s3.start();
		}
		const said = await sent;
		assert.ok(said.every((r) => r.result !== 'fail'), JSON.stringify(said));
		retried += said.filter((r) => r.result === 'retry').length;
		left = left.slice(40).concat(batch.filter((_, i) => said[i].result === 'retry'));
	}
	s3.next(null);
	assert.ok(retried > 0);
	const listed = (await s3.cli('s3api', 'list-objects-v2', '--bucket', 'bucket', '--prefix', 'n/')).Contents;
	assert.deepEqual(listed.map((o) => o.Key).sort(), range(200, (i) => `n/${i}`).sort());
	assert.deepEqual(s3.refused, []);
});
