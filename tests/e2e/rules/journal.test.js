// The journal: what a rule was to get and the client has a PUBACK for is done after kill -9, and after an end that came too early; and the folder that it lies in.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { test, until } = require('../../harness/test');
const { BUILD } = require('../../harness/broker');
const { prepare, rules, roleArn, PLUGINS } = require('../../harness/rules');

const PROBE = `${BUILD}/tests/sink_probe.so`, FUNCTIONS = `${BUILD}/tests/functions.so`;
const range = (n, from = 0) => Array.from({ length: n }, (_, i) => i + from);
const publishAll = (d, topic, list, qos = 1) => Promise.all(list.map((n) => d.publish(topic, JSON.stringify({ n }), { qos })));
const AGAIN = /rules: (\d+) messages of before the broker's end are run again/;
const ENDED = /taken up: (\d+) for rules, (\d+) of rules that are not there/;

// What the rules send is a line of a file, which outlives the broker.
async function world(t, spec = {}) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'probe-'));
	t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
	const r = await rules(t, { ...spec, plugins: [...PLUGINS, PROBE, FUNCTIONS], options: { [PROBE]: { folder } } });
	r.sink = (name = 'a') => ({ openSearch: { roleArn, endpoint: `http://${name}`, index: 'ok', type: '${topic()}', id: '${n}' } });
	r.got = (name = 'a') => {
		const file = path.join(folder, `${name}.got`), text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
		return text.split('\n').slice(0, -1).map((l) => JSON.parse(l)).filter((l) => l.id).map((l) => JSON.parse(l.payload).n);
	};
	r.all = (list, name) => until(() => `all of ${list.length}; there are ${new Set(r.got(name)).size}`, () => {
		const got = new Set(r.got(name));
		return list.every((n) => got.has(n));
	}, 90000);
	return r;
}
const killed = async (r) => {
	await r.b.restart('SIGKILL');
	r.op = await r.b.operator();
};

test('messages that wait for a function are run again after kill -9, QoS 1 and 2 with their PUBACK, once each; QoS 0 is not', async (t) => {
	const r = await world(t);
	await r.make('slow', "SELECT n, aws_lambda('slow', n) AS twice FROM 'in'", r.sink());
	const d = await r.b.device('d');
	await publishAll(d, 'in', range(8));
	await publishAll(d, 'in', range(4, 8), 2);
	await publishAll(d, 'in', range(4, 100), 0);
	await r.b.logged(/Received PUBLISH from d .*in'/, 0);
	await killed(r);
	const [, n] = await r.b.logged(AGAIN, r.b.mark);
	assert.ok(n >= 1 && n <= 12, `${n} of 12`); // what has taken its half second was done before
	await r.all(range(12));
	await r.b.logged(ENDED, r.b.mark);
	assert.ok(!r.got().some((x) => x >= 100), 'QoS 0 carries no promise');
	await until('the lane to have sent all', async () => (await r.b.call('ListRuleLanes', {})).lanes.every((l) => l.backlogItems === 0));
	assert.ok(r.got().length <= 12 + 2, `${r.got().length} deliveries of 12: what was done came again`);
	await r.b.restart();
	await r.b.call('DescribeCounters', {});
	assert.doesNotMatch(r.b.log.slice(r.b.mark), AGAIN);
});

test('a rule in Lua has kept each message that was acknowledged, whenever the broker is killed, also while it makes good for the time before', async (t) => {
	const lua = { 'keep.lua': `rule "keep" { topic = "keep", run = function(m)
		if m.ask then publish("answer", { n = m.ask, kept = state.get("n" .. m.ask) == true }) return end
		for i = 1, 300000 do local x = i * i end
		state.set("n" .. m.n, true)
	end }` };
	const r = await world(t, { lua, rules: { lua_instructions: 1000000000, lua_time: '10s' } });
	await r.b.provision('d');
	const acknowledged = [];
	for (let round = 0; round < 3; round++) {
		const d = await r.b.tls('d').connect();
		const list = range(150, round * 150);
		await publishAll(d, 'keep', list);
		acknowledged.push(...list);
		await killed(r);
	}
	if (AGAIN.test(r.b.log.slice(r.b.mark)))
		await r.b.logged(ENDED, r.b.mark);
	await r.op.subscribe('answer');
	const missing = new Set(acknowledged);
	await until(() => `all to be kept; missing are ${[...missing].slice(0, 10)}`, async () => {
		r.op.inbox.length = 0;
		const asked = [...missing];
		await Promise.all(asked.map((n) => r.op.publish('keep', JSON.stringify({ ask: n }))));
		await until('answers', () => r.op.got('answer').length >= asked.length);
		r.op.got('answer').map((m) => JSON.parse(m.payload)).filter((m) => m.kept).forEach((m) => missing.delete(m.n));
		return missing.size === 0;
	});
});

test('what an end in peace does not wait for is done after the next start', async (t) => {
	const r = await world(t);
	await r.make('slow', "SELECT n, aws_lambda('slow', n) AS twice FROM 'in'", r.sink());
	const d = await r.b.device('d');
	await publishAll(d, 'in', range(24)); // twelve seconds of it
	await r.b.stop();
	const left = 24 - new Set(r.got()).size;
	await r.b.start();
	await r.all(range(24));
	assert.ok(left === 0 || AGAIN.test(r.b.log.slice(r.b.mark)), `${left} were left, and nothing was run again`);
});

test('a message is run again for the rules that are still there, and for none that came since', async (t) => {
	const lua = { 'a.lua': "rule \"lua\" { sql = [[SELECT n, aws_lambda('slow', n) AS twice FROM 'in']], actions = { { openSearch = "
		+ `{ roleArn = "${roleArn}", endpoint = "http://lua", index = "ok", type = "x", id = "\${n}" } } } }` };
	const r = await world(t, { lua });
	const slow = "SELECT n, aws_lambda('slow', n) AS twice FROM 'in'";
	await r.make('stays', slow, r.sink('stays'));
	await r.make('basic', "SELECT n, aws_lambda('slow', n) AS twice FROM 'none'", r.sink('basic'));
	await r.make('gone', slow, r.sink('gone'));
	const d = await r.b.device('d');
	await publishAll(d, 'in', range(4));
	await publishAll(d, '$aws/rules/basic/x', range(3));
	await r.b.call('DeleteTopicRule', { ruleName: 'gone' });
	r.write('b.lua', fs.readFileSync(path.join(r.folder, 'a.lua'), 'utf8').replace('"lua"', '"new"').replace('http://lua', 'http://new'));
	await killed(r);
	await Promise.all([r.all(range(4), 'stays'), r.all(range(4), 'lua'), r.all(range(3), 'basic')]);
	if (AGAIN.test(r.b.log.slice(r.b.mark))) // else all was done before
		await r.b.logged(ENDED, r.b.mark);
	assert.deepEqual(r.got('new'), []);
});

// -- the folder

test('the folder is in memory and ours alone, one for each data folder, and goes at the end', async (t) => {
	const folders = () => fs.readdirSync('/dev/shm').filter((name) => name.startsWith(`skeeter-${process.getuid()}-`));
	const before = folders();
	const r = await rules(t, { rules: { journal: null, threads: 3 } });
	const fresh = folders().filter((name) => !before.includes(name)).map((name) => path.join('/dev/shm', name))
		.filter((folder) => fs.readlinkSync(`/proc/${r.b.pid}/cwd`) && execFileSync('ls', ['-l', `/proc/${r.b.pid}/fd`], { encoding: 'utf8' }).includes(folder));
	assert.equal(fresh.length, 1);
	assert.equal(fs.statSync(fresh[0]).mode & 0o777, 0o700);
	assert.deepEqual(fs.readdirSync(fresh[0]).sort(), ['ring-0', 'ring-1', 'ring-2']);
	assert.ok(fs.readdirSync(fresh[0]).every((name) => fs.statSync(path.join(fresh[0], name)).size === 4096 + (1 << 20)));
	assert.match(fs.readFileSync(`/proc/${r.b.pid}/status`, 'utf8'), new RegExp(`VmLck:\\s+${3 * (1024 + 4)} kB`));
	assert.doesNotMatch(r.b.log, /is on a disk/);
	await r.b.stop();
	assert.equal(fs.existsSync(fresh[0]), false);
});

test('on a disk it works too, and the log says what that may cost', async (t) => {
	const folder = fs.mkdtempSync(path.join(path.resolve(__dirname, '../../..'), '.journal-'));
	t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
	const r = await world(t, { rules: { journal: folder } });
	await r.b.logged(/plugin_opt_journal \S+ is on a disk: while that stands still it may hold up the broker/, 0);
	await r.make('slow', "SELECT n, aws_lambda('slow', n) AS twice FROM 'in'", r.sink());
	const d = await r.b.device('d');
	await publishAll(d, 'in', range(5));
	await killed(r);
	await r.all(range(5));
});

test('files of somebody else are put aside and said, whatever is in them', async (t) => {
	const r = await prepare(t);
	const journal = r.b.journal;
	fs.mkdirSync(journal, { mode: 0o700 });
	fs.writeFileSync(path.join(journal, 'ring-0'), 'hello');
	fs.writeFileSync(path.join(journal, 'ring-1'), Buffer.concat([Buffer.from('SKring1\n'), Buffer.alloc(8192 - 8, 0xff)]));
	fs.writeFileSync(path.join(journal, 'left-7'), Buffer.alloc(4096 + 65536, 7));
	await r.b.start();
	await r.b.call('DescribeCounters', {});
	await r.b.logged(/3 files of the journal cannot be read to their end: they are kept as damaged-N/, 0);
	assert.deepEqual(fs.readdirSync(journal).filter((name) => name.startsWith('damaged-')).length, 3);
	await r.b.restart();
	await r.b.call('DescribeCounters', {});
	assert.doesNotMatch(r.b.log.slice(r.b.mark), /cannot be read/);
});

test('two brokers do not share one, nor is a folder taken that others can open', async (t) => {
	const one = await rules(t), two = await prepare(t, { rules: { journal: one.b.journal } });
	assert.notEqual(await two.b.refuses(), 0);
	assert.match(two.b.log, /rules: plugin_opt_journal: \S+ is another broker's, which runs/);
	const open = fs.mkdtempSync('/dev/shm/skeeter-open-');
	t.after(() => fs.rmSync(open, { recursive: true, force: true }));
	fs.chmodSync(open, 0o755);
	two.b.spec.options.rules.journal = open;
	assert.notEqual(await two.b.refuses(), 0);
	assert.match(two.b.log, /is open to other users: chmod 700/);
	fs.chmodSync(open, 0o700);
	await two.b.start();
});

// -- what cannot be had

// Root locks as much as it likes, unless it has given that up.
const limited = (bytes) => [...process.getuid() === 0 ? ['setpriv', '--bounding-set=-ipc_lock'] : [], 'prlimit', `--memlock=${bytes}:${bytes}`];

test('a limit on locked memory that is too small is refused in one line; what Debian gives a service is enough', async (t) => {
	const r = await prepare(t, { wrap: limited(65536), rules: { threads: 2 } });
	assert.notEqual(await r.b.refuses(), 0);
	assert.match(r.b.log, /rules: plugin_opt_ring: 4202496 bytes cannot be locked in memory: the limit is 65536 \(ulimit -l; LimitMEMLOCK= in mosquitto.service\)/);
	assert.deepEqual(fs.readdirSync(r.b.journal), []);
	r.b.spec.wrap = limited(8 << 20);
	r.b.spec.options.rules.threads = 4;
	await r.b.start();
});

test('a file system without room is refused in one line', async (t) => {
	const r = await prepare(t, { conf: process.getuid() === 0 ? '' : 'user root' });
	fs.mkdirSync(r.b.journal, { mode: 0o700 });
	r.b.spec.wrap = ['unshare', ...process.getuid() === 0 ? [] : ['--map-root-user'], '--mount', 'sh', '-c',
		`mount -t tmpfs -o size=1m,mode=700 tmpfs ${r.b.journal} && exec "$@"`, 'sh'];
	assert.notEqual(await r.b.refuses(), 0);
	assert.match(r.b.log, /rules: plugin_opt_journal: \S+ takes no file of \d+ bytes: No space left on device/);
	r.b.spec.options.rules = { ...r.b.spec.options.rules, ring: '512k', threads: 1 };
	await r.b.start();
});

test('options that cannot be are refused', async (t) => {
	const r = await prepare(t, { rules: { ring: '64k', threads: 2 } });
	assert.notEqual(await r.b.refuses(), 0);
	assert.match(r.b.log, /plugin_opt_ring must be at least 64k for each thread/);
	r.b.spec.options.rules = { journal: '/no/such/folder' };
	assert.notEqual(await r.b.refuses(), 0);
	assert.match(r.b.log, /plugin_opt_journal: cannot make the folder \/no\/such\/folder: No such file or directory/);
});
