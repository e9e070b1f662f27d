// skeeter-store between files and a real Redis: copies that hold all there is, that are killed and go on, and that touch nothing they must not.
'use strict';
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { create, BUILD } = require('../../harness/broker');
const { redis } = require('../../harness/service_redis');
const { cluster } = require('../../harness/service_redis_cluster');
const { Shadow } = require('../../harness/shadow');

const PROGRAM = path.join(BUILD, 'skeeter-store');
const options = (more = {}) => ({ encoding: 'utf8', maxBuffer: 1 << 29, env: { ...process.env, ...process.env.SKEETER_PRELOAD ? { LD_PRELOAD: process.env.SKEETER_PRELOAD } : {} }, ...more });
function store(args, more) {
	const { status, stdout, stderr } = spawnSync(PROGRAM, args, options(more));
	return { status, stdout, stderr };
}
const failed = (why) => ({ status: 255, stdout: '', stderr: `skeeter-store: ${why}\n` });
function good(args, more) {
	const { status, stdout, stderr } = store([...args, '--quiet'], more);
	assert.deepEqual([status, stderr], [0, ''], `${args.join(' ')}: ${stdout}`);
	return stdout;
}
function folder(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-copy-'));
	t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
	return (name) => path.join(dir, name);
}

// -- stores to copy: lines of a dump
const SPACES = ['record', 'effect', 'timer'];
const line = (space, key, document) => ({ space, ...typeof key === 'string' ? { key } : { keyBytes: key.toString('base64') }, document });
const bytes = (l) => (l.keyBytes ? Buffer.from(l.keyBytes, 'base64') : Buffer.from(l.key));
function shadows(n) {
	return Array.from({ length: n }, (_, i) => line('record', `thing/bulk${String(i).padStart(6, '0')}/shadow`, { version: 1, filler: 'x'.repeat(100) }));
}
// Effects of one process, effects that name their broker, timers that are due in a hundred years, keys and documents of all kinds.
function oddities() {
	const due = 4000000000000, hex = due.toString(16).padStart(16, '0');
	return [
		line('effect', 'thing/lamp/00112233445566778899aabb', { event: 'nobody:listens', depth: 1, input: { a: 1 } }),
		line('effect', 'registry/0123456789abcdef-00112233445566778899aabb', { event: 'nobody:listens', depth: 2, input: {} }),
		line('record', 'thing/lamp/~timer/blink', { due, generation: 77, event: 'nobody:listens', input: {} }),
		line('timer', `${hex}/thing/lamp/blink/4d`, {}),
		line('record', 'registry/~timer/far/away', { due, generation: 78, event: 'nobody:listens', input: {} }),
		line('timer', `${hex}/registry/far/away/4e`, {}),
		line('record', Buffer.from('thing/\xff\xfe\x01 \n/shadow', 'latin1'), { odd: true }),
		line('record', `thing/${'k'.repeat(1000)}/shadow`, {}),
		line('record', 'thing/large/shadow', { version: 1, filler: 'é'.repeat(1 << 20) }),
		line('record', 'registry/thing/lamp', { number: 1.5, big: 9007199254740993 }),
	];
}
function dumped(lines) {
	const sorted = [...lines].sort((a, b) => SPACES.indexOf(a.space) - SPACES.indexOf(b.space) || Buffer.compare(bytes(a), bytes(b)));
	const body = [{ format: 'skeeter-dump', version: 1, schema: 1, sequence: sorted.length },
		...sorted.map(({ space, key, keyBytes, document }, i) => ({ space, ...keyBytes ? { keyBytes } : { key }, version: i + 1, document }))];
	const text = body.map((l) => `${JSON.stringify(l)}\n`).join('');
	return `${text}${JSON.stringify({ records: sorted.length, sha256: crypto.createHash('sha256').update(text).digest('hex') })}\n`;
}
function make(file, lines) {
	good(['load', file], { input: dumped(lines) });
	return file;
}
// What a store holds, without its versions.
const held = (where) => good(['dump', where]).split('\n').slice(1, -2).map((l) => l.replace(/"version":\d+,("document"|"bytes")/, '$1')).join('\n');

// Runs until it has told of `records`, then gets the signal: what it ended with, and whether it was in time.
function cut(args, word, records, signal) {
	const child = spawn(PROGRAM, [...args, '--progress', '0'], options({ stdio: ['ignore', 'pipe', 'pipe'] }));
	let stdout = '', stderr = '';
	child.stdout.on('data', (d) => { stdout += d; });
	child.stderr.on('data', (d) => {
		stderr += d;
		const told = [...stderr.matchAll(new RegExp(`^${word}: records (\\d+)`, 'gm'))].at(-1);
		if (told && Number(told[1]) >= records && !child.killed)
			child.kill(signal);
	});
	return new Promise((end) => child.on('close', (status, by) => end({ status, by, stdout, stderr })));
}
// The first number that a run tells.
const firstTold = (text) => Number(/^copy: records (\d+)/m.exec(text)?.[1] ?? 0);

test('from a file to a Redis and back, and from Redis to Redis: records, effects and timers, whatever their keys and documents', async (t) => {
	const at = folder(t), r = await redis(t), other = `${r.url}/3?prefix=elsewhere:&buckets=5`;
	const a = make(at('a.db'), [...shadows(1500), ...oddities()]);
	const out = good(['copy', a, r.url]);
	assert.match(out, /^records {4}1506, \d+ bytes\neffects {4}2, \d+ bytes\ntimers {5}2, 4 bytes\nsha256 {5}[0-9a-f]{64}\nstore redis:.* holds what .*a\.db holds\n$/);
	assert.equal(good(['check', r.url]), `store ${r.url} is whole\n`);
	assert.equal(good(['copy', r.url, other]).split('\n')[3], out.split('\n')[3]);
	assert.equal(good(['check', other]), `store ${r.url}/3?prefix=elsewhere: is whole\n`);
	good(['copy', other, at('b.db')]);
	good(['check', at('b.db')]);
	good(['copy', at('b.db'), at('c.db')]);
	for (const where of [r.url, other, at('b.db'), at('c.db')])
		assert.equal(held(where), held(a), where);
	assert.match(good(['stats', other]), /\nbuckets {4}5\nbrokers {4}0\nrecords {4}1506, /);
	assert.equal(good(['copy', '--verify', a, other]).split('\n')[3], out.split('\n')[3]);
});

test('a user with the rights that docs/REDIS.md names may do all of it, in a Cluster too', async (t) => {
	const at = folder(t), rights = /^ACL SETUSER \S+ (.*)$/m.exec(fs.readFileSync(path.join(__dirname, '../../../docs/REDIS.md'), 'utf8'))[1].replace('>PASSWORD', '>hush');
	const c = await cluster(t), a = make(at('a.db'), [...shadows(3000), ...oddities()]);
	for (const node of c.nodes)
		await node.cli('ACL', 'SETUSER', 'mover', ...rights.split(' '));
	fs.writeFileSync(at('secret'), 'hush\n', { mode: 0o600 });
	const url = c.at({ user: 'mover', password: 'hush' }), named = c.at({ user: 'mover', query: `password_file=${at('secret')}&buckets=7` }).replace('mover:undefined@', 'mover@');
	good(['copy', a, named]);
	good(['check', url]);
	assert.match(good(['stats', url]), /\nbuckets {4}7\n/);
	good(['copy', url, at('b.db')]);
	assert.equal(held(at('b.db')), held(a));
	assert.equal(held(url), held(a));
});

test('an effect and a timer are in the bucket of their partition', async (t) => {
	const at = folder(t), r = await redis(t);
	good(['copy', make(at('a.db'), oddities()), r.url]);
	for (const partition of ['registry', 'thing/lamp']) {
		const found = [];
		for (let i = 0; i < 16; i++) {
			const tag = `skeeter:{${String(i).padStart(3, '0')}}`;
			const keys = await Promise.all([0, 1, 2].map(async (k) => (await r.cli('HKEYS', `${tag}h${k}`)).split('\n')));
			if (keys.some((list) => list.some((k) => k.replace(/^[0-9a-f]{16}\//, '').startsWith(`${partition}/`))))
				found.push(keys.map((list) => list.some((k) => k.replace(/^[0-9a-f]{16}\//, '').startsWith(`${partition}/`))));
		}
		assert.deepEqual(found, [[true, true, true]], partition);
	}
});

test('a copy of 100,000 records that is killed again and again goes on where it was, each way', async (t) => {
	const at = folder(t), r = await redis(t);
	const a = make(at('a.db'), [...shadows(100000), ...oddities()]);
	for (const [from, to] of [[a, r.url], [r.url, at('b.db')]]) {
		let there = 0, killed = 0;
		for (const [word, records] of [['copy', 1024], ['copy', 30000], ['copy', 70000], ['verify', 50000]]) {
			const run = await cut(['copy', from, to], word, records, 'SIGKILL');
			assert.ok(run.by === 'SIGKILL' || run.status === 0, run.stderr);
			if (run.by !== 'SIGKILL')
				break;
			killed++;
			assert.ok(firstTold(run.stderr) >= there - 1024, `it went on at ${firstTold(run.stderr)}, ${there} were there`);
			const marker = Number(/"records":(\d+)/.exec(store(['dump', to, '--quiet']).stdout.split('\n').find((l) => l.includes('skeeter/filling/state')))[1]);
			assert.ok(marker >= there, `${marker} records are told, ${there} were`);
			there = marker;
		}
		assert.ok(killed > 1, `it was killed ${killed} times`);
		assert.ok(there > 30000, `${there} of 100000 were there when it was killed last`);
		assert.equal(store(['check', to, '--quiet']).status, 254, 'a store that is not whole is not said to be');
		assert.match(good(['copy', from, to]), / holds what /);
	}
	assert.equal(held(r.url), held(a));
	assert.equal(held(at('b.db')), held(a));
	good(['check', r.url]);
	good(['check', at('b.db')]);
}, { seconds: 400 });

test('interrupted it says how far it is, and no broker starts with what is not whole', async (t) => {
	const at = folder(t), r = await redis(t), b = create(t, { options: { core: { store: r.url } } });
	const a = make(at('a.db'), shadows(100000));
	const run = await cut(['copy', a, r.url], 'copy', 10000, 'SIGINT');
	assert.equal(run.status, 255, run.stderr);
	const said = /^skeeter-store: interrupted: (\d+) records are in (\S+), the same command goes on from there$/m.exec(run.stderr);
	assert.ok(Number(said[1]) >= 10000 && said[2] === r.url, run.stderr);
	assert.notEqual(await b.refuses(), 0);
	assert.match(b.log, /the store is not whole: skeeter-store copy or load was filling it and has not ended/);
	assert.deepEqual(store(['copy', r.url, at('b.db')]), failed(`store ${r.url} is not whole: what fills it has not ended`));
	const again = store(['copy', a, r.url, '--progress', '0']);
	assert.equal(again.status, 0);
	assert.ok(firstTold(again.stderr) > Number(said[1]), `${firstTold(again.stderr)} after ${said[1]}`);
});

test('a source that was written to between two runs is copied anew, another source is refused', async (t) => {
	const at = folder(t), r = await redis(t);
	const a = make(at('a.db'), shadows(60000)), other = make(at('other.db'), shadows(10));
	assert.equal((await cut(['copy', a, r.url], 'copy', 20000, 'SIGINT')).status, 255);
	assert.deepEqual(store(['copy', other, r.url]),
		failed(`store ${r.url} is filled from another one (${a}) and not whole: --replace puts ${other} in place of all that it holds`));
	good(['load', '--replace', a], { input: dumped([...shadows(300), ...oddities()]) });
	good(['copy', a, r.url]);
	assert.equal(held(r.url), held(a));
	good(['copy', other, r.url, '--replace']);
	assert.equal(held(r.url), held(other));
	good(['check', r.url]);
});

test('a destination that is not empty is left as it is', async (t) => {
	const at = folder(t), r = await redis(t);
	const a = make(at('a.db'), shadows(50)), b = make(at('b.db'), oddities());
	good(['copy', b, r.url]);
	const before = good(['dump', r.url]), file = fs.readFileSync(b);
	for (const to of [r.url, b])
		assert.deepEqual(store(['copy', a, to]), failed(`store ${to} is not empty: --replace puts the copy in place of all that it holds`));
	assert.deepEqual(store(['load', r.url], { input: dumped(shadows(1)) }), failed(`store ${r.url} is not empty: --replace puts the dump in place of all that it holds`));
	assert.equal(good(['dump', r.url]), before);
	assert.deepEqual(fs.readFileSync(b), file);
});

test('a Redis without room says so, and with room the copy goes on', async (t) => {
	const at = folder(t), r = await redis(t);
	const a = make(at('a.db'), shadows(60000));
	await r.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
	await r.cli('CONFIG', 'SET', 'maxmemory', '8mb');
	const { status, stdout, stderr } = store(['copy', a, r.url, '--quiet']);
	assert.deepEqual([status, stdout], [255, '']);
	assert.match(stderr, /^skeeter-store: cannot write store redis:\S+: .*(full|memory).*: \d+ records are in redis:\S+, the same command goes on from there\n$/);
	await r.cli('CONFIG', 'SET', 'maxmemory', '0');
	good(['copy', a, r.url]);
	assert.equal(held(r.url), held(a));
});

test('a Redis that is killed and started again meanwhile is waited for', async (t) => {
	const at = folder(t), r = await redis(t);
	const a = make(at('a.db'), shadows(100000));
	const child = spawn(PROGRAM, ['copy', a, r.url, '--progress', '0'], options({ stdio: ['ignore', 'pipe', 'pipe'] }));
	let stderr = '';
	child.stdout.resume();
	child.stderr.on('data', (d) => { stderr += d; });
	const ended = new Promise((end) => child.on('close', end));
	await until('records to be there', () => /^copy: records \d{5}/m.test(stderr));
	await r.kill();
	await r.start();
	const status = await ended;
	if (status !== 0) /* the answer that was lost may have been the marker's */
		assert.match(stderr, /the same command goes on from there\n$/);
	good(status ? ['copy', a, r.url] : ['copy', '--verify', a, r.url]);
	assert.equal(held(r.url), held(a));
});

test('a store with faults is not copied', async (t) => {
	const at = folder(t), r = await redis(t), a = make(at('a.db'), shadows(3000));
	const broken = fs.readFileSync(a);
	broken.fill(0xa5, broken.length - 4096);
	fs.writeFileSync(at('broken.db'), broken);
	const run = store(['copy', at('broken.db'), r.url, '--quiet']);
	assert.equal(run.status, 255);
	assert.match(run.stdout + run.stderr, /nothing was copied|nothing was touched/);
	assert.equal(await r.cli('DBSIZE'), '0');
	good(['copy', a, r.url]);
	const tag = (await r.cli('KEYS', 'skeeter:*z0')).split('\n')[0].slice(0, -2);
	const [one, two, three] = (await r.cli('ZRANGE', `${tag}z0`, '0', '2')).split('\n');
	await r.cli('ZREM', `${tag}z0`, one);
	await r.cli('HDEL', `${tag}h0`, two);
	await r.cli('HSET', `${tag}h0`, three, 'no version');
	const faults = store(['check', r.url, '--quiet']), bucket = Number(/\{(\d+)\}/.exec(tag)[1]);
	assert.equal(faults.status, 254);
	for (const fault of [`${one} is not listed: no scan finds it`, `${two} is listed and not there`, `${three} is not a version and a document`])
		assert.ok(faults.stdout.includes(`bucket ${bucket}: record ${fault}\n`), faults.stdout);
	const copied = store(['copy', r.url, at('b.db'), '--quiet']);
	assert.deepEqual([copied.status, copied.stderr], [255, `skeeter-store: store ${r.url} has faults: nothing was copied\n`]);
	assert.equal(fs.existsSync(at('b.db')), false);
});

test('what differs is named', async (t) => {
	const at = folder(t), r = await redis(t);
	const lines = shadows(20), a = make(at('a.db'), lines);
	good(['copy', make(at('b.db'), [...lines.slice(0, 10), { ...lines[10], document: { other: true } }, ...lines.slice(12), line('effect', 'thing/x/y', { event: 'e', input: {} })]), r.url]);
	const { status, stdout, stderr } = store(['copy', '--verify', a, r.url]);
	assert.deepEqual([status, stderr], [254, '']);
	assert.equal(stdout, `record thing/bulk000010/shadow: another document in ${r.url}\nrecord thing/bulk000011/shadow: not in ${r.url}\n` +
		`effect thing/x/y: not in ${a}\n3 differences\n`);
});

test('one store is not copied into itself, and no password is ever printed', async (t) => {
	const at = folder(t), r = await redis(t), a = make(at('a.db'), shadows(5));
	good(['copy', a, r.url]);
	fs.symlinkSync(a, at('link.db'));
	assert.match(store(['copy', a, at('link.db')]).stderr, /are the same store\n$/);
	assert.match(store(['copy', r.url, `redis+unix://${r.socket}`]).stderr, /are the same store\n$/);
	for (const url of ['redis://user:hush@127.0.0.1:1', `redis://:hush@127.0.0.1:${r.port}`, 'redis://user:hush@127.0.0.1:99999', 'redis://user:hush@127.0.0.1/x', 'http://user:hush@127.0.0.1/',
		'redis://user:hush@127.0.0.1?wrong=1', `redis://:hush@127.0.0.1:${r.port}?buckets=-1`])
		for (const args of [['copy', a, url], ['copy', url, at('b.db')], ['stats', url], ['check', url], ['dump', url], ['load', url], ['backup', url, at('c.db')], ['migrate', url]]) {
			const { status, stdout, stderr } = store(args, { input: dumped(shadows(1)) });
			assert.ok(status === 255 || status === 252, args.join(' '));
			assert.match(stderr, /^skeeter-store: [^\n]+\n$/, args.join(' '));
			assert.ok(!`${stdout}${stderr}`.includes('hush'), stderr);
		}
	assert.equal(fs.existsSync(at('b.db')), false);
	assert.deepEqual(store(['copy', `${r.url}?prefix=absent:`, at('b.db')]), failed(`there is no store at ${r.url}?prefix=absent:`));
	assert.deepEqual((await r.cli('KEYS', 'absent*')), '');
});

test('a dump is loaded into a Redis: one that is not whole leaves nothing, and takes no place', async (t) => {
	const at = folder(t), r = await redis(t), text = dumped([...shadows(3000), ...oddities()]), half = text.split('\n').slice(0, 2000).join('\n');
	fs.writeFileSync(at('dump'), text);
	fs.writeFileSync(at('half'), `${half}\n`);
	assert.match(store(['load', r.url, '--quiet'], { input: `${half}\n` }).stderr, /without its footer: the dump is not whole\n$/);
	assert.match(good(['stats', r.url]), /\nrecords {4}0, 0 bytes\n/);
	good(['load', r.url, at('dump')]);
	const before = held(r.url);
	assert.match(store(['load', r.url, at('half'), '--replace', '--quiet']).stderr, /without its footer: the dump is not whole\n$/);
	assert.equal(held(r.url), before);
	assert.equal(held(make(at('a.db'), [...shadows(3000), ...oddities()])), before);
	good(['load', r.url, at('dump'), '--replace']);
	assert.equal(held(r.url), before);
	good(['check', r.url]);
});

test('a broker goes on with what was copied: its things, certificates, policies and shadows, into a Redis and back', async (t) => {
	const at = folder(t), r = await redis(t), b = create(t);
	await b.start();
	const device = await b.device('lamp');
	const shadow = await new Shadow(device, 'lamp').listen();
	const { version } = await shadow.accepted('update', { state: { desired: { on: true } } });
	await device.end();
	await b.stop();
	fs.mkdirSync(at('shared'));
	good(['copy', b.data, r.url]);
	let last = version;
	const goesOn = async (broker) => {
		const again = await broker.tls('lamp').connect(), s = await new Shadow(again, 'lamp').listen();
		assert.deepEqual((await s.accepted('get', {})).state.desired, { on: true });
		last = (await s.accepted('update', { state: { reported: { n: last } } })).version;
		assert.deepEqual((await broker.call('DescribeThing', { thingName: 'lamp' })).thingName, 'lamp');
		await assert.rejects(broker.tls('stranger').connect());
		await again.end();
	};
	const shared = create(t, { options: { core: { store: r.url } } });
	await shared.start();
	await goesOn(shared);
	const refused = (verb) => new RegExp(`^skeeter-store: cannot use store ${r.url}: 1 broker uses it: stop it first, they may start again when this is done\n$`.replace(/[.]/g, '\\.'));
	assert.match(store(['copy', r.url, at('b.db')]).stderr, refused());
	assert.match(store(['copy', b.data, r.url, '--replace']).stderr, refused());
	assert.match(good(['stats', r.url]), /\nbrokers {4}1\n/);
	await shared.stop();
	assert.match(good(['stats', r.url]), /\nbrokers {4}0\n/);
	assert.equal(last, version + 1);
	good(['copy', r.url, at('b.db')]);
	fs.rmSync(b.data, { recursive: true });
	fs.mkdirSync(b.data, { mode: 0o700 });
	good(['copy', at('b.db'), b.data]);
	await b.start();
	await goesOn(b);
	assert.equal(last, version + 2);
});

test('effects that were not done are done where they were copied to', async (t) => {
	const at = folder(t), r = await redis(t);
	const publish = (topic) => ({ event: 'skeeter:publish', depth: 1, input: { topic, flags: 0, payload: Buffer.from('late').toString('base64') } });
	const a = make(at('a.db'), [line('effect', 'thing/lamp/00112233445566778899aabb', publish('late/one')),
		line('effect', 'thing/lamp/0123456789abcdef-00112233445566778899aabb', publish('late/two'))]);
	good(['copy', a, r.url]);
	good(['copy', r.url, at('skeeter.db')]);
	for (const spec of [{ options: { core: { store: r.url } } }, { data: at('.') }]) {
		const b = create(t, spec);
		await b.start();
		await until('effects to be done', async () => (await b.call('DescribeCounters', {})).counters.effects_done >= 2);
		await b.stop();
	}
	assert.match(good(['stats', r.url]), /\neffects {4}0, /);
	assert.match(good(['stats', at('skeeter.db')]), /\neffects {4}0, /);
});
