// cli/deps.sh with a dpkg, an apt-get and a sudo of our own: what it installs, what it forbids meanwhile, what it leaves.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until } = require('../../harness/test');

const DEPS = path.resolve(__dirname, '../../../cli/deps.sh');
const FAKES = {
	'dpkg-query': 'for last; do :; done; [ "$last" = gcc ] && echo installed',
	'apt-get': 'echo "$* $(tail -n 1 "$SKEETER_POLICY_RC_D")" >>calls; [ "$1" = update ] || [ -z "$WAIT" ] || sleep 600 >/dev/null 2>&1 & wait; exit ${APT:-0}',
	'update-rc.d': 'echo "update-rc.d $*" >>calls',
	id: 'echo "${FAKE_UID:-0}"',
};

function machine(t, env = {}, more = {}) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-deps-'));
	t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
	for (const [name, body] of Object.entries({ ...FAKES, ...more }))
		fs.writeFileSync(path.join(dir, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
	const m = { dir, policy: path.join(dir, 'policy-rc.d'), env: { ...process.env, PATH: `${dir}:/usr/bin:/bin`, ...env } };
	m.env.SKEETER_POLICY_RC_D = m.policy;
	m.calls = () => fs.existsSync(path.join(dir, 'calls')) ? fs.readFileSync(path.join(dir, 'calls'), 'utf8').trim().split('\n') : [];
	m.start = (...packages) => {
		const child = spawn('sh', [DEPS, ...packages], { cwd: dir, env: m.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
		child.text = '';
		for (const stream of [child.stdout, child.stderr])
			stream.on('data', (d) => { child.text += d; });
		child.end = new Promise((done) => child.on('close', (code, signal) => done({ code, signal, text: child.text })));
		t.after(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it has ended */ } });
		return child;
	};
	m.run = (...packages) => m.start(...packages).end;
	return m;
}

test('only what is missing is installed, while services are forbidden to start, and nothing of that stays', async (t) => {
	const m = machine(t);
	const { code, text } = await m.run('gcc', 'mosquitto', 'make');
	assert.equal(code, 0, text);
	assert.deepEqual(m.calls(), ['update -q exit 101', 'install -q -y -o Acquire::Retries=3 --no-install-recommends mosquitto make exit 101', 'update-rc.d mosquitto disable']);
	assert.equal(fs.existsSync(m.policy), false);
	assert.deepEqual(await m.run('gcc'), { code: 0, signal: null, text: '' });
	assert.equal(m.calls().length, 3);
});

test('a policy of the machine is put back, also when apt fails or is interrupted', async (t) => {
	for (const [env, signal] of [[{}, null], [{ APT: '100' }, null], [{ WAIT: '1' }, 'SIGTERM'], [{ WAIT: '1' }, 'SIGINT']]) {
		const m = machine(t, env);
		fs.writeFileSync(m.policy, '#!/bin/sh\nexit 0\n');
		const child = m.start('make');
		if (signal) {
			await until('apt-get to install', () => m.calls().length === 2);
			process.kill(-child.pid, signal);
		}
		const { code } = await child.end;
		assert.equal(code, signal ? 130 : env.APT ? 100 : 0);
		assert.equal(fs.readFileSync(m.policy, 'utf8'), '#!/bin/sh\nexit 0\n');
		assert.ok(m.calls().every((line) => line.endsWith('exit 101')), m.calls().join('\n'));
	}
});

test('what a kill -9 left behind is put right by the next run', async (t) => {
	const m = machine(t, { WAIT: '1' });
	fs.writeFileSync(m.policy, 'mine\n');
	const child = m.start('make');
	await until('apt-get to install', () => m.calls().length === 2);
	process.kill(-child.pid, 'SIGKILL');
	await child.end;
	assert.notEqual(fs.readFileSync(m.policy, 'utf8'), 'mine\n');
	delete m.env.WAIT;
	assert.equal((await m.run('make')).code, 0);
	assert.equal(fs.readFileSync(m.policy, 'utf8'), 'mine\n');
});

test('a user with sudo installs by it, one without is told the exact line', async (t) => {
	const user = { FAKE_UID: '1000' };
	const helped = machine(t, user, { sudo: 'echo "sudo $*" >>calls; exec "$@"' });
	assert.equal((await helped.run('gcc', 'make')).code, 0);
	assert.match(helped.calls().join('\n'), /^sudo true\nsudo \S*deps\.sh --as-root make\nupdate -q exit 101\ninstall/);
	const alone = machine(t, user, { sudo: 'exit 1' });
	const { code, text } = await alone.run('gcc', 'make', 'openssl');
	assert.deepEqual([code, text], [1, 'packages are missing, and this needs root: apt-get update && apt-get install -y make openssl\n']);
	assert.deepEqual(alone.calls(), []);
});
