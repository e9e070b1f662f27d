// service_aws.js -- AWS for tests: nobody gets an answer whose signature does not hold.
//
//   const aws = await standIn(t);                      sqs, sns, firehose, cloudwatch, logs, stepfunctions at aws.url, read as AWS's models have it
//   aws.of('sqs') [{ action, input }, ...]             what was let in, in its order
//   aws.next(fn)                                       fn(service, action, input) answers { status, code, message }, { bad: { INDEX: [code, message, sender] } },
//                                                      { reset: 'before' | 'after' } or nothing, until it answers `undefined`
//   const db = await dynalite(t), k = await kinesalite(t), s3 = await s3rver(t);        npm's servers, each behind a proxy that checks signatures
//   db.url, db.kill(), db.start(), db.next(fn)         what is in them survives kill()
//   await db.table('t', 'n:N:HASH', ...)               a table that may be written to
//   await aws.cli('s3', 'ls')                          Debian's AWS CLI with the same key
'use strict';
const { execFile } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const { read, Refusal } = require('./aws_model');
const { freePort } = require('./ports');
const { until } = require('./test');
const { Service, answers, listen } = require('./service');
const { verify } = require('./sigv4');

const KEY = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const MODULES = path.resolve(__dirname, '../node_modules');
const SERVICES = { sqs: 'sqs', sns: 'sns', firehose: 'firehose', monitoring: 'cloudwatch', logs: 'logs', states: 'stepfunctions' };
const escape = (s) => String(s).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

class Front {
	constructor(t) {
		this.key = { ...KEY };
		this.script = null;
		this.requests = 0;
		this.refused = [];
		this.sockets = new Set();
		t.after(() => this.close());
		t.onFail(() => `refused: ${JSON.stringify(this.refused.slice(0, 5))}`);
	}
	get url() { return `http://127.0.0.1:${this.port}`; }
	next(fn) { this.script = fn; }

	async listen() {
		this.port = this.port || await freePort();
		this.server = http.createServer((req, res) => this.take(req, res));
		this.server.keepAliveTimeout = 0; /* none */
		this.server.on('connection', (s) => { this.sockets.add(s); s.on('close', () => this.sockets.delete(s)); });
		await listen(this.server, this.port);
		return this;
	}
	async close() {
		const server = this.server;
		this.server = null;
		for (const s of this.sockets)
			s.destroy();
		if (server)
			await new Promise((done) => server.close(done));
	}

	async take(req, res) {
		const chunks = [];
		req.on('error', () => {});
		res.on('error', () => {});
		try {
			for await (const c of req)
				chunks.push(c);
		} catch {
			return; /* who sent it is gone */
		}
		const request = { method: req.method, path: req.url, headers: req.headers, raw: req.rawHeaders, body: Buffer.concat(chunks) };
		this.requests++;
		const no = verify(this.key, request);
		if (no)
			this.refused.push(no);
		try {
			if (no)
				throw new Refusal(...no);
			await this.serve(request, res);
		} catch (e) {
			if (!e.code || !e.status)
				this.refused.push(e.stack);
			this.refuse(request, res, e.status || 500, e.code || 'InternalFailure', e.message);
		}
	}
	answer(res, status, type, body) {
		if (!res.destroyed)
			res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
	}
	refuse(request, res, status, code, message) {
		if (request.headers['x-amz-target'])
			return this.answer(res, status, 'application/x-amz-json-1.1', JSON.stringify({ __type: `com.amazonaws#${code}`, message }));
		const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escape(message)}</Message></Error>`;
		return this.answer(res, status, 'text/xml', request.headers['content-type'] ? `<ErrorResponse>${error}<RequestId>1</RequestId></ErrorResponse>` : error);
	}

	// true: it has been dealt with.
	scripted(request, res, ...what) {
		const said = this.script && this.script(...what);
		if (!said)
			return null;
		if (said.reset === 'before') {
			res.destroy();
			return true;
		}
		if (said.status) {
			this.refuse(request, res, said.status, said.code, said.message || '');
			return true;
		}
		return said;
	}
}

// -- ours --

const xmlBatch = {
	sqs: (good, bad) => `<SendMessageBatchResult>${good.map((e) => `<SendMessageBatchResultEntry><Id>${e.Id}</Id><MessageId>1</MessageId></SendMessageBatchResultEntry>`).join('')}${
		bad.map((b) => `<BatchResultErrorEntry>${b}</BatchResultErrorEntry>`).join('')}</SendMessageBatchResult>`,
	sns: (good, bad) => `<PublishBatchResult><Failed>${bad.map((b) => `<member>${b}</member>`).join('')}</Failed><Successful>${
		good.map((e) => `<member><Id>${e.Id}</Id><MessageId>1</MessageId></member>`).join('')}</Successful></PublishBatchResult>`,
};

class StandIn extends Front {
	constructor(t) {
		super(t);
		this.seen = [];
		this.streams = new Set(); /* of logs: "group stream" */
		this.groups = new Set(['group']);
	}
	of(service) { return this.seen.filter((s) => s.service === service); }

	async serve(request, res) {
		const scope = /\/([a-z0-9]+)\/aws4_request/.exec(request.headers.authorization)[1], service = SERVICES[scope];
		if (!service)
			throw new Refusal(403, 'SignatureDoesNotMatch', `no service ${scope}`);
		if (request.method !== 'POST' || (service !== 'sqs' && request.path !== '/'))
			throw new Refusal(404, 'NotFound', request.path);
		const { action, input } = read(service, { ...request, body: String(request.body) });
		const said = this.scripted(request, res, service, action, input);
		if (said === true)
			return;
		const { reset, bad = {} } = said || {};
		if (!this[action])
			throw new Refusal(400, 'InvalidAction', action);
		const [type, body] = this[action](input, bad, request, service);
		if (reset === 'after')
			res.destroy();
		else
			this.answer(res, 200, type, body);
	}
	note(service, action, input) { this.seen.push({ service, action, input }); }

	// The entries that are taken, and XML of those that are not.
	batch(service, action, input, list, bad) {
		const ids = list.map((e) => e.Id);
		if (new Set(ids).size !== ids.length)
			throw new Refusal(400, 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct', 'Id');
		if (list.reduce((n, e) => n + Buffer.byteLength(e.MessageBody || e.Message), 0) > 1 << 20)
			throw new Refusal(400, 'AWS.SimpleQueueService.BatchRequestTooLong', 'too long');
		const good = list.filter((_, i) => !bad[i]);
		for (const e of good)
			this.note(service, action, { ...input, entry: e });
		const refused = Object.entries(bad).map(([i, [code, message, sender]]) => `<Id>${list[i].Id}</Id><Code>${code}</Code><Message>${escape(message)}</Message><SenderFault>${sender}</SenderFault>`);
		return ['text/xml', `<?xml version="1.0"?><${action}Response xmlns="http://x/">${xmlBatch[service](good, refused)}<ResponseMetadata/></${action}Response>`];
	}
	SendMessageBatch(input, bad, request, service) {
		const url = new URL(input.QueueUrl), fifo = url.pathname.endsWith('.fifo');
		if (url.pathname !== request.path && request.path !== '/') /* AWS's own tools send it to either */
			throw new Refusal(400, 'InvalidAddress', `${input.QueueUrl} is not ${request.path}`);
		if (/missing$/.test(url.pathname))
			throw new Refusal(400, 'AWS.SimpleQueueService.NonExistentQueue', 'The specified queue does not exist.');
		if (input.Entries.length > 10 || !input.Entries.every((e) => e.MessageBody && fifo === Boolean(e.MessageGroupId)))
			throw new Refusal(400, 'InvalidParameterValue', 'entries');
		return this.batch(service, 'SendMessageBatch', { queue: input.QueueUrl }, input.Entries, bad);
	}
	PublishBatch(input, bad, request, service) {
		if (input.PublishBatchRequestEntries.length > 10)
			throw new Refusal(400, 'TooManyEntriesInBatchRequest', 'entries');
		return this.batch(service, 'PublishBatch', { topic: input.TopicArn }, input.PublishBatchRequestEntries, bad);
	}
	xml(service, action, input) {
		this.note(service, action, input);
		return ['text/xml', `<${action}Response><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${action}Response>`];
	}
	Publish(input, bad, request, service) { return this.xml(service, 'Publish', input); }
	PutMetricData(input, bad, request, service) { return this.xml(service, 'PutMetricData', input); }
	SetAlarmState(input, bad, request, service) { return this.xml(service, 'SetAlarmState', input); }

	json(service, action, input, out) {
		this.note(service, action, input);
		return ['application/x-amz-json-1.1', JSON.stringify(out)];
	}
	PutRecordBatch(input, bad, request, service) {
		if (input.Records.reduce((n, r) => n + r.Data.length, 0) > 4 << 20)
			throw new Refusal(400, 'InvalidArgumentException', 'too long');
		for (const [i, r] of input.Records.entries())
			if (!bad[i])
				this.note(service, 'PutRecordBatch', { stream: input.DeliveryStreamName, data: String(r.Data) });
		const list = input.Records.map((_, i) => (bad[i] ? { ErrorCode: bad[i][0], ErrorMessage: bad[i][1] } : { RecordId: String(i) }));
		return ['application/x-amz-json-1.1', JSON.stringify({ FailedPutCount: Object.keys(bad).length, RequestResponses: list })];
	}
	PutLogEvents(input, bad, request, service) {
		if (!this.groups.has(input.logGroupName))
			throw new Refusal(400, 'ResourceNotFoundException', 'The specified log group does not exist.');
		if (!this.streams.has(`${input.logGroupName} ${input.logStreamName}`))
			throw new Refusal(400, 'ResourceNotFoundException', 'The specified log stream does not exist.');
		const times = input.logEvents.map((e) => e.timestamp), bytes = input.logEvents.reduce((n, e) => n + Buffer.byteLength(e.message) + 26, 0);
		if (times.some((x, i) => i && x < times[i - 1]) || times[times.length - 1] - times[0] > 86400000 || bytes > 1 << 20)
			throw new Refusal(400, 'InvalidParameterException', 'Log events in a single PutLogEvents request must be in chronological order, and of a day.');
		return this.json(service, 'PutLogEvents', input, bad.info ? { rejectedLogEventsInfo: bad.info } : { nextSequenceToken: '1' });
	}
	CreateLogStream(input, bad, request, service) {
		const name = `${input.logGroupName} ${input.logStreamName}`;
		if (this.streams.has(name))
			throw new Refusal(400, 'ResourceAlreadyExistsException', 'The specified log stream already exists');
		this.streams.add(name);
		return this.json(service, 'CreateLogStream', input, {});
	}
	StartExecution(input, bad, request, service) {
		if (this.of(service).some((s) => s.input.name === input.name))
			throw new Refusal(400, 'ExecutionAlreadyExists', `Execution Already Exists: '${input.name}'`);
		JSON.parse(input.input);
		return this.json(service, 'StartExecution', input, { executionArn: 'arn', startDate: 1 });
	}
}

// -- npm's, behind a proxy --

class Proxied extends Front {
	constructor(t, make) {
		super(t);
		this.make = make;
		this.t = t;
	}
	async start() {
		if (!this.service) {
			this.inner = await freePort();
			this.service = new Service(this.t, { command: process.execPath, args: (self) => ['-e', this.make(this.inner, self.dir)], ready: () => answers(this.inner) });
			await this.listen();
		}
		await this.service.start();
		return this;
	}
	kill() { return this.service.kill(); }

	async serve(request, res) {
		const said = this.scripted(request, res, request);
		if (said === true)
			return undefined;
		return new Promise((done) => {
			const onward = http.request({ host: '127.0.0.1', port: this.inner, method: request.method, path: request.path, headers: request.headers }, async (answer) => {
				const chunks = [];
				answer.on('error', () => {});
				try {
					for await (const c of answer)
						chunks.push(c);
				} catch {
					res.destroy();
					return done();
				}
				if (said && said.reset === 'after')
					res.destroy();
				else
					res.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(chunks));
				return done();
			});
			onward.on('error', () => { res.destroy(); done(); });
			onward.end(request.body);
		});
	}
}

const started = (make) => (t) => new Proxied(t, make).start();
const module_ = (name) => JSON.stringify(path.join(MODULES, name));
const dynalite = started((port, dir) => `require(${module_('dynalite')})({ createTableMs: 0, deleteTableMs: 0, path: ${JSON.stringify(`${dir}/data`)} }).listen(${port}, '127.0.0.1')`);
const kinesalite = started((port, dir) => `require(${module_('kinesalite')})({ createStreamMs: 0, path: ${JSON.stringify(`${dir}/data`)} }).listen(${port}, '127.0.0.1')`);
const s3rver = started((port, dir) => `new (require(${module_('s3rver')}))({ port: ${port}, address: '127.0.0.1', silent: true, vhostBuckets: false, directory: ${
	JSON.stringify(dir)}, configureBuckets: [{ name: 'bucket' }] }).run()`);
const standIn = (t) => new StandIn(t).listen();

// Keys are "name:type:role".
Front.prototype.table = async function table(name, ...keys) {
	const list = keys.map((k) => k.split(':'));
	await this.cli('dynamodb', 'create-table', '--table-name', name, '--billing-mode', 'PAY_PER_REQUEST',
		'--attribute-definitions', ...list.map(([n, type]) => `AttributeName=${n},AttributeType=${type}`), '--key-schema', ...list.map(([n, , role]) => `AttributeName=${n},KeyType=${role}`));
	await until(`table ${name}`, async () => (await this.cli('dynamodb', 'describe-table', '--table-name', name)).Table.TableStatus === 'ACTIVE');
};
Front.prototype.cli = async function cli(...args) {
	const env = { PATH: process.env.PATH, HOME: '/nonexistent', AWS_ACCESS_KEY_ID: this.key.accessKeyId, AWS_SECRET_ACCESS_KEY: this.key.secretAccessKey,
		AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1' };
	const { stdout } = await promisify(execFile)('/usr/bin/aws', ['--endpoint-url', this.url, '--output', 'json', ...args], { env, maxBuffer: 1 << 26 });
	try {
		return JSON.parse(stdout);
	} catch {
		return stdout;
	}
};

module.exports = { standIn, dynalite, kinesalite, s3rver, KEY };
