// skeeter-store against a real broker: backup while shadows are updated, everything else when it has stopped.
'use strict';
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { test, until, sleep } = require('../../harness/test');
const { start, create, BUILD } = require('../../harness/broker');
const { Shadow } = require('../../harness/shadow');

const PROGRAM = path.join(BUILD, 'skeeter-store');
const preload = () => process.env.SKEETER_PRELOAD ? { LD_PRELOAD: process.env.SKEETER_PRELOAD } : {};
const options = (more = {}) => ({ encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, ...preload() }, ...more });
const store = (args, more) => {
	const { status, stdout, stderr } = spawnSync(PROGRAM, args, options(more));
	return { status, stdout, stderr };
};
const database = (b) => path.join(b.data, 'skeeter.db');
const done = (stdout = '') => ({ status: 0, stdout, stderr: '' });
const failed = (why) => ({ status: 255, stdout: '', stderr: `skeeter-store: ${why}\n` });

// Resolves when the program has ended; the broker and the devices go on meanwhile. `halfway` is called with the program stopped where `file` is
// there; when the program was faster than we are it is not.
async function beside(args, file, halfway) {
	const child = spawn(PROGRAM, args, options({ stdio: ['ignore', 'pipe', 'pipe'] }));
	const stopped = () => { try { return / T /.test(fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8')); } catch { return false; /* it has ended */ } };
	let text = '', gone = false;
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (d) => { text += d; });
	const ended = new Promise((end) => child.on('close', (status) => { gone = true; end({ status, text }); }));
	await until('the program to be at it', () => gone || fs.existsSync(file));
	if (!gone) {
		child.kill('SIGSTOP');
		await until('it to stand still', () => gone || stopped());
		if (!gone && fs.existsSync(file))
			await halfway();
		child.kill('SIGCONT');
	}
	return ended;
}

// One update after the other; `accepted` is the newest number that was.
class Load {
	constructor(shadow) {
		this.shadow = shadow;
		this.accepted = { n: 0, version: 0 };
		this.going = true;
		this.ended = this.run();
	}
	async run() {
		for (let n = 1; this.going; n++) {
			const { version } = await this.shadow.update({ state: { reported: { n, filler: 'x'.repeat(300) } } });
			this.accepted = { n, version };
		}
	}
	stop() {
		this.going = false;
		return this.ended;
	}
}

async function filled(t) {
	const b = await start(t);
	const s = await new Shadow(await b.device('lamp'), 'lamp').listen();
	await s.update({ state: { desired: { on: true }, reported: { 'odd "name"': [1.5, 'é', true] } } });
	await b.call('CreateThing', { thingName: 'gone' });
	await b.call('UpdateThingShadow', { thingName: 'gone', payload: { state: { desired: { a: 1 } } } });
	await b.call('DeleteThing', { thingName: 'gone' });
	return b;
}

// A store of many shadows, so that a backup takes a while.
function bulk(file, n) {
	const body = [{ format: 'skeeter-dump', version: 1, schema: 1, sequence: n }];
	for (let i = 1; i <= n; i++)
		body.push({ space: 'record', key: `thing/bulk${String(i).padStart(6, '0')}/shadow`, version: i, document: { version: 1, filler: 'x'.repeat(400) } });
	const text = body.map((line) => `${JSON.stringify(line)}\n`).join('');
	const footer = { records: n, sha256: crypto.createHash('sha256').update(text).digest('hex') };
	assert.deepEqual(store(['load', '--quiet', file], { input: `${text}${JSON.stringify(footer)}\n` }), done());
}

test('backups taken under load hold every update accepted before they began', async (t) => {
	const b = create(t);
	fs.mkdirSync(b.data, { mode: 0o700 });
	bulk(database(b), 60000);
	await b.start();
	const loads = [];
	for (let d = 0; d < 4; d++) {
		const device = await b.device(`dev${d}`);
		for (const name of [undefined, 'one', 'two'])
			loads.push(new Load(await new Shadow(device, `dev${d}`, name).listen(['update/accepted', 'update/rejected'])));
	}
	const backups = [];
	let during = 0;
	for (let i = 0; i < 5; i++) {
		const mark = loads.map((l) => l.accepted.n + 10);
		await until('more updates', () => loads.every((l, k) => l.accepted.n >= mark[k]));
		const file = path.join(b.dir, `backup${i}.db`), before = loads.map((l) => ({ ...l.accepted }));
		const goOn = async () => {
			const now = loads.map((l) => l.accepted.n);
			await until('updates to go on while a backup is made', () => loads.every((l, k) => l.accepted.n > now[k] + 1));
			during++;
		};
		assert.deepEqual(await beside(['backup', '--quiet', b.data, file], `${file}.partial`, goOn), { status: 0, text: '' });
		backups.push({ file, before });
	}
	const now = loads.map((l) => l.accepted.n);
	await until('updates after the last backup', () => loads.every((l, k) => l.accepted.n > now[k]));
	await Promise.all(loads.map((l) => l.stop()));
	assert.ok(during > 0, 'a backup was seen at work');
	await b.stop();
	for (const { file, before } of backups) {
		assert.deepEqual(store(['check', '--quiet', file]), done(`store ${file} is whole\n`));
		fs.rmSync(b.data, { recursive: true });
		fs.mkdirSync(b.data, { mode: 0o700 });
		fs.copyFileSync(file, database(b));
		await b.start();
		for (const [k, l] of loads.entries()) {
			const [, thing, name] = /things\/(\w+)\/shadow(?:\/name\/(\w+))?/.exec(l.shadow.prefix);
			const { payload } = await b.call('GetThingShadow', { thingName: thing, shadowName: name });
			const document = typeof payload === 'string' ? JSON.parse(payload) : payload;
			assert.ok(document.version >= before[k].version, `${l.shadow.prefix}: version ${document.version}, ${before[k].version} was accepted`);
			assert.ok(document.state.reported.n >= before[k].n);
		}
		await b.stop();
	}
}, { seconds: 120 });

test('a dump is whole, and a broker on what was loaded from it knows all that was dumped', async (t) => {
	const b = await filled(t);
	await until('the deleted thing\'s shadow to be gone', async () =>
		(await b.refused('GetThingShadow', { thingName: 'gone' })).includes('404'));
	await b.stop();
	const { status, stdout, stderr } = store(['dump', b.data]);
	assert.deepEqual([status, stderr], [0, '']);
	const lines = stdout.split('\n'), body = `${lines.slice(0, -2).join('\n')}\n`;
	const header = JSON.parse(lines[0]), footer = JSON.parse(lines.at(-2)), records = lines.slice(1, -2).map((l) => JSON.parse(l));
	assert.deepEqual({ ...header, sequence: 0 }, { format: 'skeeter-dump', version: 1, schema: 1, sequence: 0 });
	assert.deepEqual(footer, { records: records.length, sha256: crypto.createHash('sha256').update(body).digest('hex') });
	for (const r of records) {
		assert.deepEqual(Object.keys(r), ['space', 'key', 'version', 'document']);
		assert.ok(r.version >= 1 && r.version <= header.sequence);
	}
	const keys = records.map((r) => r.key);
	assert.ok(keys.includes('registry/thing/lamp') && keys.includes('thing/lamp/shadow') && !keys.includes('registry/thing/gone'));
	const file = path.join(b.dir, 'loaded.db');
	assert.deepEqual(store(['load', file], { input: stdout }), done());
	assert.deepEqual(store(['check', file]), done(`store ${file} is whole\n`));
	assert.deepEqual(store(['dump', file]), done(stdout));
	for (const suffix of ['', '-wal', '-shm'])
		fs.rmSync(database(b) + suffix, { force: true });
	fs.renameSync(file, database(b));
	await b.start();
	const s = await new Shadow(await b.tls('lamp').connect(), 'lamp').listen();
	assert.deepEqual((await s.get()).state.reported, { 'odd "name"': [1.5, 'é', true] });
	assert.equal((await s.update({ state: { reported: { a: 1 } } })).version, 2);
	assert.ok(!(await b.call('ListThings', {})).things.some((thing) => thing.thingName === 'gone'));
});

test('the store of a killed broker is checked, dumped and counted with its log, and not touched', async (t) => {
	const b = await filled(t);
	await b.stop('SIGKILL');
	const files = () => fs.readdirSync(b.data).filter((f) => !f.endsWith('-shm')).sort().map((f) => [f, fs.readFileSync(path.join(b.data, f)).toString('base64')]);
	const before = files();
	assert.deepEqual(store(['check', b.data]), done(`store ${database(b)} is whole\n`));
	assert.match(store(['dump', b.data]).stdout, /"key":"thing\/lamp\/shadow"/);
	assert.match(store(['stats', b.data]).stdout, /\nrecords +[1-9].*[^]* prefix\n[^]* registry\/thing\n[^]* thing\/\+\/shadow\n/);
	assert.deepEqual(files(), before);
	await b.start();
});

test('while a broker runs only backup works, and the broker does not notice', async (t) => {
	const b = await filled(t);
	const copy = path.join(b.dir, 'copy.db'), line = `store ${database(b)} is in use by another process: backup works while it runs`;
	for (const args of [['dump', b.data], ['check', b.data], ['stats', database(b)], ['load', b.data, '/dev/null'], ['load', '--replace', b.data, '/dev/null']])
		assert.deepEqual(store(args), failed(line));
	assert.deepEqual(store(['migrate', b.data]), failed(`store ${database(b)} is in use by another process`));
	assert.deepEqual(store(['backup', b.data, copy]), done());
	assert.deepEqual(store(['backup', b.data, copy]), failed(`cannot write ${copy}: File exists`));
	const s = await new Shadow(await b.tls('lamp').connect(), 'lamp').listen();
	assert.equal((await s.update({ state: { reported: { a: 1 } } })).version, 2);
	await b.restart();
	assert.equal((await s.device.connect().then(() => s.listen()).then(() => s.get())).version, 2);
});

test('a load that is killed leaves the store as it was, and the next one is not in its way', async (t) => {
	const b = await filled(t);
	await b.stop();
	const { stdout } = store(['dump', b.data]), before = fs.readFileSync(database(b));
	const child = spawn(PROGRAM, ['load', '--replace', b.data], options({ stdio: ['pipe', 'ignore', 'inherit'] }));
	const gone = new Promise((end) => child.on('close', end));
	child.stdin.on('error', () => {});
	child.stdin.write(stdout.slice(0, stdout.length / 2));
	await until('the new file', () => fs.existsSync(`${database(b)}.loading`));
	assert.deepEqual(store(['load', '--replace', b.data], { input: stdout }), failed(`store ${database(b)} is in use by another process: backup works while it runs`));
	const refused = create(t, { data: b.data });
	assert.notEqual(await refused.refuses(), 0);
	assert.match(refused.log, /store .*skeeter\.db is in use by another process/);
	await sleep(20);
	child.kill('SIGKILL');
	await gone;
	assert.deepEqual(fs.readFileSync(database(b)), before);
	assert.deepEqual(store(['dump', b.data]), done(stdout));
	assert.deepEqual(store(['load', b.data], { input: stdout }),
		failed(`store ${database(b)} is not empty: --replace puts the dump in place of all that it holds`));
	assert.deepEqual(store(['load', '--replace', b.data], { input: stdout }), done());
	assert.deepEqual(fs.readdirSync(b.data).filter((f) => f.startsWith('skeeter.db')), ['skeeter.db']);
	assert.deepEqual(store(['dump', b.data]), done(stdout));
});

test('a broker brings a store of version 0 up to date, keeps what it was and says so in its log', async (t) => {
	const b = await filled(t);
	await b.stop();
	const file = fs.openSync(database(b), 'r+');
	fs.writeSync(file, Buffer.alloc(4), 0, 4, 60);	/* SQLite keeps PRAGMA user_version there */
	fs.closeSync(file);
	const from = b.log.length;
	await b.start();
	const real = fs.realpathSync(database(b));
	assert.ok(b.log.slice(from).includes(`skeeter: core: store ${real} was version 0 and is version 1 now: as it was it is kept as ${real}.v0\n`));
	const s = await new Shadow(await b.tls('lamp').connect(), 'lamp').listen();
	assert.equal((await s.get()).version, 1);
	await b.stop();
	assert.deepEqual(store(['migrate', b.data]), done(`store ${database(b)} is version 1 already\n`));
	assert.deepEqual(store(['stats', `${real}.v0`]), failed(`store ${real}.v0 is version 0, this build reads 1: skeeter-store migrate brings it up to date`));
});

test('the command line says what is wrong with it, and --help what is right', () => {
	const usage = (why) => ({ status: 252, stdout: '', stderr: `skeeter-store: ${why}\n` });
	assert.deepEqual(store([]), usage('usage: skeeter-store VERB STORE: skeeter-store --help lists the verbs'));
	assert.deepEqual(store(['dupm', 'x']), usage('there is no verb dupm: skeeter-store --help lists them'));
	assert.deepEqual(store(['dump']), usage('usage: skeeter-store dump STORE'));
	assert.deepEqual(store(['backup', 'x']), usage('usage: skeeter-store backup STORE FILE'));
	assert.deepEqual(store(['dump', '--replace', 'x']), usage('usage: skeeter-store dump STORE'));
	assert.deepEqual(store(['dump', '--force', 'x']), usage('unknown option --force: skeeter-store --help lists them'));
	assert.deepEqual(store(['dump', '--progress', 'often', 'x']), usage("--progress must be a number of seconds from 0 to 86400, not 'often'"));
	assert.deepEqual(store(['dump', '/nowhere/x']), failed('cannot read store /nowhere/x: No such file or directory'));
	const all = store(['--help']);
	assert.equal(all.status, 0);
	for (const verb of ['dump', 'load', 'check', 'stats', 'backup', 'migrate']) {
		assert.match(all.stdout, new RegExp(`^  ${verb} `, 'm'));
		assert.match(store([verb, '--help']).stdout, new RegExp(`^usage: skeeter-store ${verb} STORE`));
	}
});
